"""Amazon SNS: boto3 pointed at smscatch; what it is told, and what it raises."""

from typing import Any

import pytest

from smscatch import Client
from tests.conftest import ADMIN_KEY

TEXT = "Your code is 482913 – „now“ & <b>"


def sns_client(sms: Client, key_id: str = ADMIN_KEY, secret: str = ADMIN_KEY, **given: Any) -> Any:
    import boto3

    keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret}
    return boto3.client("sns", region_name="us-east-1", endpoint_url=sms.send_url("sns"), **keys, **given)


def test_boto3_publishes_to_a_number(sms: Client) -> None:
    sns = sns_client(sms)
    named = {"AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "Acme"}}
    with sms.lease(label="virtual") as phone:
        sent = sns.publish(PhoneNumber=phone.number, Message=TEXT, MessageAttributes=named)
        assert phone.wait_for_code() == "482913"
        caught = sms.caught(phone.number)
    assert (caught.provider, caught.sender, caught.text) == ("sns", "Acme", TEXT)
    assert sent["MessageId"].replace("-", "") == caught.id
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+12015550123")["isOptedOut"] is False
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional"})


def test_boto3_raises_what_it_would_raise(sms: Client) -> None:
    import botocore.config
    from botocore.exceptions import ClientError

    sns, good = sns_client(sms), {"PhoneNumber": "+12015550123", "Message": "x"}
    for wrong in ({"PhoneNumber": "12"}, {"Message": ""}, {"Message": "x" * 1601}, {"MessageStructure": "json"}):
        with pytest.raises(sns.exceptions.InvalidParameterException):
            sns.publish(**good | wrong)
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.publish(Message="x")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn="arn:aws:sns:us-east-1:1:topic", Message="x")
    unsigned = botocore.config.Config(signature_version=botocore.UNSIGNED)
    for key_id, secret, config, code in (
        (ADMIN_KEY, "another", None, "SignatureDoesNotMatch"),
        ("AKIANONE", "another", None, "InvalidClientTokenId"),
        (ADMIN_KEY, ADMIN_KEY, unsigned, "MissingAuthenticationToken"),
    ):
        with pytest.raises(ClientError) as caught:
            sns_client(sms, key_id, secret, config=config).publish(**good)
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_boto3_sends_with_the_newer_service_too(sms: Client) -> None:
    import boto3
    from botocore.exceptions import ClientError

    def voice(secret: str) -> Any:
        keys = {"aws_access_key_id": ADMIN_KEY, "aws_secret_access_key": secret}
        name = "pinpoint-sms-voice-v2"
        return boto3.client(name, region_name="us-east-1", endpoint_url=sms.send_url("sns"), **keys)

    client = voice(ADMIN_KEY)
    with sms.lease(label="virtual") as phone:
        wanted = {"DestinationPhoneNumber": phone.number, "OriginationIdentity": "Acme", "MessageBody": TEXT}
        dry = client.send_text_message(**wanted, DryRun=True)["MessageId"]
        sent = client.send_text_message(**wanted)["MessageId"]
        assert phone.wait_for_code() == "482913"
        assert [text.id for text in sms.messages(line=phone.number)] == [sent.replace("-", "")] != [dry]
    for wrong in ({"DestinationPhoneNumber": "+1"}, {"OriginationIdentity": "a name that is too long"}):
        with pytest.raises(client.exceptions.ValidationException):
            client.send_text_message(**wanted | wrong)
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client.describe_pools()
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        voice("another").send_text_message(**wanted)
