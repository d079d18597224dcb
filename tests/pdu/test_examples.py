"""PDUs that others have published, each with its source: what they say is what we read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from smscatch.errors import BadPdu
from smscatch.pdu import Concat, Deliver, StatusReport, encode_submit, join_text, parse_pdu, tpdu_length


@dataclass(frozen=True)
class Example:
    source: str
    pdu: str
    fields: dict[str, Any]


AOSP = "AOSP GsmSmsTest.java"
OFONO = "oFono unit/test-sms.c"
GSMMODEM = "python-gsmmodem test_pdu.py"
MESSAGING = "python-messaging test_sms.py"

DELIVERED = [
    Example(
        "dreamfabric.com/sms: hellohello",
        "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37",
        {
            "smsc": "+27381000015",
            "sender": "27838890001",  # a subscriber number: no '+'
            "sent_at": datetime(1999, 3, 29, 13, 16, 59, tzinfo=UTC),
            "text": "hellohello",
        },
    ),
    Example(
        "Wikipedia GSM 03.40 and JDSMS: How are you",
        "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
        {
            "smsc": "+31624000000",
            "sender": "+31641600986",
            "sent_at": datetime(2002, 8, 26, 19, 37, 41, tzinfo=UTC),  # zone "08" is minus zero
            "text": "How are you?",
        },
    ),
    Example(
        f"{OFONO}: simple_deliver",
        "07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07",
        {"sent_at": datetime(2002, 8, 26, 20, 37, 41, tzinfo=UTC), "text": "How are you?"},
    ),
    Example(
        f"{OFONO}: alnum_sender",
        "0791447758100650040DD0F334FC1CA6970100008080312170224008D4F29CDE0EA7D9",
        {"sender": "sipgate", "sent_at": datetime(2008, 8, 13, 11, 7, 22, tzinfo=UTC), "text": "Testmail"},
    ),
    Example(
        f"{AOSP}: testUcs2",
        "07912160130300F4040B914151245584F600087010807121352B10212200A900AE00680065006C006C006F",
        {"text": "\u2122\u00a9\u00aehello", "alphabet": "ucs2"},
    ),
    Example(
        f"{AOSP}: testUdh, an MMS notification",
        "07914140279510F6440A8111110301003BF56080207130238A3B0B05040B8423F0"
        "00032A0202362E3130322E3137312E3135302F524E453955304A6D713551414142666C414141414D774141423651414141414100",
        {
            "sender": "1111301000",
            "text": None,
            "ports": (2948, 9200),
            "concat": Concat(42, 2, 2),
            "message_class": 1,
            "data": b"6.102.171.150/RNE9U0Jmq5QAABflAAAAMwAAB6QAAAAA\0",
            "pid": 0x3B,
        },
    ),
    Example(
        f"{AOSP}: testCPHSVoiceMail",
        "07912160130310F20404D0110041006060627171118A0120",
        {"sender": "_@", "text": " ", "pid": 0x41},
    ),
    Example(
        f"{AOSP}: testCingularVoiceMail",
        "07912180958750F84401800500C87020026195702B06040102000200",
        {"sender": "5", "text": "", "message_class": None, "dcs": 0xC8},
    ),
    Example(
        f"{AOSP}: testEmailGateway",
        "07914151551512f204038105f400007011103105458a29e6f71b50c687db7076d9357eb741af0d0a442fcfe9c23739bfe16d289bdee6b5"
        "f1813629",
        {"sender": "504", "text": "foo@example.com /{ testBody[^~\\] }"},
    ),
    Example(
        f"{AOSP}: testExtendedCharacterTable",
        "07914151551512f2040B916105551511f100006080615131728A44D4F29C0E2AE3E96537B94C068DD16179784C2FCB41F4B0985D06B958"
        "ADD00FB0E94536AF974974DA6D281BA00E95E26D509B946FC3DBF87A25D56A04",
        {"text": "Test extended character table .,-!?@~_\\/&\"';^|:()<{}>[]=%*+#"},
    ),
    Example(
        f"{GSMMODEM}: Test2",
        "06917228195339040B917228214365F700003130805120618005D4F29C2E03",
        {"smsc": "+2782913593", "sent_at": datetime(2013, 3, 8, 13, 2, 16, tzinfo=UTC), "text": "Test2"},
    ),
    Example(
        f"{GSMMODEM} from developershome.com",
        "07915892000000F0040B915892214365F700007040213252242331493A283D0795C3F33C88FE06C9CB6132885EC6D341EDF27C1E3E97E7"
        "207B3A0C0A5241E377BB1D7693E72E",
        {
            "sender": "+85291234567",
            "sent_at": datetime(2007, 4, 12, 15, 25, 42, tzinfo=UTC),
            "text": "It is easy to read text messages via AT commands.",
        },
    ),
    Example(
        f"{GSMMODEM}: extension characters",
        "06917228195339040B917228214365F70000313062315352800A800D8A5E98D337A910",
        {"text": "@{tést}!"},
    ),
    Example(
        f"{GSMMODEM}: one part of one",
        "0591721891F1400781721881F800003160526104848059050003C30101916536FB1DCABEEB2074D85E064941B19CAB060319A5C522289C"
        "96D3D3ED32286C0FA7D96131BBEC024941B19CAB0603DDD36C36A88C87A7E565D0DB0D82C55EB0DB4B068BCD5C20",
        {
            "smsc": "+2781191",
            "sender": "2781188",
            "concat": Concat(0xC3, 1, 1),
            "text": "Hello!You have R 19.50 FREE airtime available. R 19.50 will expire on 01/07/2013. ",
        },
    ),
    Example(
        f"{MESSAGING}: ZTE in Chinese",
        "07914306073011F0040B914316709807F2000880604290224080084E2D5174901A8BAF",
        {"smsc": "+34607003110", "sender": "+34610789702", "text": "中兴通讯"},
    ),
    Example(
        f"{MESSAGING}: FONIC, sender of odd length",
        "07919471060040340409D0C6A733390400009060920173018093CC74595C96838C4F6772085AD6DDE4320B444E9741D4B03C6D7EC3E9E9"
        "B71B9474D3CB727799DEA286CFE5B9991DA6CBC3F432E85E9793CBA0F09A9EB6A7CB72BA0B9474D3CB727799DE72D6E9FABAFB0CBAA7E5"
        "6490BA4CD7D34170F91BE4ACD3F575F7794E0F9F4161F1B92C2F8FD1EE32DD054AA2E520E3D3991C82A8E5701B",
        {
            "sender": "FONIC",
            "text": "Lieber FONIC Kunde, die Tarifoption Internet-Tagesflatrate wurde aktiviert. Internet-Nutzung wird "
            "jetzt pro Nutzungstag abgerechnet. Ihr FONIC Team",
        },
    ),
    Example(
        f"{MESSAGING}: www.tim.it, sender of even length",
        "07919333852804000412D0F7FBDD454FB75D693A0000903002801153402BCD301E9F0605D9E971191483C140412A35690D52832063D2F9"
        "040599A058EE05A3BD6430580E",
        {"sender": "www.tim.it", "text": "Maxxi Alice 100 ATTIVATA FINO AL 19/04/2009"},
    ),
    Example(
        "Node module pdu, test suite: Beeline, part 4 of 4",
        "07919730071111F1440DD0C272999D769701000881208221031421390608044AC004040442043D043E0433043E0020043E043104490435"
        "043D0438044F00210020041204300448002004110438043B04300439043D",
        {
            "sender": "Beeline",
            "concat": Concat(0x4AC0, 4, 4, wide=True),
            "text": "тного общения! Ваш Билайн",
        },
    ),
]


@pytest.mark.parametrize("example", DELIVERED, ids=lambda example: example.source)
def test_a_published_deliver_pdu_reads_as_its_source_says(example: Example) -> None:
    message = parse_pdu(example.pdu)
    assert isinstance(message, Deliver)
    assert {name: getattr(message, name) for name in example.fields} == example.fields


REPORTED = [
    Example(
        f"{GSMMODEM}: status report",
        "0006D60B911326880736F4111011719551401110117195714000",
        {"reference": 0xD6, "recipient": "+31628870634", "status": 0},
    ),
    Example(
        f"{MESSAGING}: status report",
        "07914306073011F006270B913426565711F7012081111345400120811174054043",
        {
            "recipient": "+43626575117",
            "sent_at": datetime(2010, 2, 18, 10, 31, 54, tzinfo=UTC),
            "discharged_at": datetime(2010, 2, 18, 10, 47, 50, tzinfo=UTC),
            "status": 0x43,
        },
    ),
    Example(
        f"{GSMMODEM}: half broken, captured from a ZTE modem",
        "0297F1061C0F910B487228297020F5317062419272803170624192138000",
        {"reference": 0x1C, "recipient": "+#08427829207025", "status": 0},
    ),
]


@pytest.mark.parametrize("example", REPORTED, ids=lambda example: example.source)
def test_a_published_status_report_reads_as_its_source_says(example: Example) -> None:
    report = parse_pdu(example.pdu)
    assert isinstance(report, StatusReport)
    assert {name: getattr(report, name) for name in example.fields} == example.fields


JOINED = [
    Example(
        f"{OFONO}: test_assembly",
        "038121F350048155550119906041001222048C0500031E0301041804420430043A002C00200410043B0435043A04410430043D04340440"
        "002000200441043B044304480430043B00200437043000200434043204350440044C044E00200020043800200020043204410435002004"
        "31043E043B044C044804350020043F0440043504380441043F043E043B043D044F043B0441044F002000200433043D0435 "
        "038121F350048155550119906041001222048C0500031E03020432043E043C002E000A041D0430043A043E043D04350446002C0020043D"
        "043500200432002004410438043B04300445002004340430043B043504350020044204350440043F04350442044C002C0020043E043D00"
        "200441044204400435043C043804420435043B044C043D043E002004320431043504360430043B002004320020043A043E "
        "038121F350048155550119906041001222044A0500031E0303043C043D043004420443002C0020043F043E043704300431044B0432000A"
        "0434043004360435002C002004470442043E002000200431044B043B0020043D04300433002E",
        {
            "text": "Итак, Александр  слушал за дверью  и  все больше преисполнялся  гневом.\nНаконец, не в силах "
            "далее терпеть, он стремительно вбежал в комнату, позабыв\nдаже, что  был наг."
        },
    ),
    Example(
        f"{AOSP}: testMultipart",
        "07916163838408F6440B816105224431F700007060217175830AA0050003000201" + "62B1582C168BC5" * 19 + "62 "
        "07916163838408F6440B816105224431F700007060217185000A2305000300020262B1582C168BC96432994C2693C96432994C2693C964"
        "32990C",
        {"text": "1" * 160 + "2" * 21},
    ),
    Example(
        f"{MESSAGING}: Vodafone, a weird German one",
        "07919471227210244405852122F039F101506271217180A005000319020198E9B2B82C0759DFE4B0F9ED2EB7967537B9CC02B5D3745012"
        "2D2FCB41EE303DFD7687D96537881A96A7CD6F383DFD7683F46134BBEC064DD36550DA0D22A7CBF3721BE42CD3F5A0198B56036DCA20B8"
        "FC0D6A0A4170767D0EAAE540433A082E7F83A6E5F93CFD76BB40D7B2DB0D9AA6CB2072BA3C2F83926EF31BE44E8FD17450BB8C9683CA "
        "07919471227210244405852122F039F1015062712181804F050003190202E4E8309B5E7683DAFC319A5E76B340F73D9A5D7683A6E93268"
        "FD9ED3CB6EF67B0E5AD172B19B2C2693C9602E90355D6683A6F0B007946E8382F5393BEC26BB00",
        {
            "text": "Lieber Vodafone-Kunde, mit Ihrer nationalen Tarifoption zahlen Sie in diesem Netz 3,45 € pro MB "
            "plus 59 Ct pro Session. Wenn Sie diese Info nicht mehr erhalten möchten, wählen Sie kostenlos "
            "+4917212220. Viel Spaß im Ausland."
        },
    ),
]


@pytest.mark.parametrize("example", JOINED, ids=lambda example: example.source)
def test_published_parts_join_to_what_their_source_says(example: Example) -> None:
    parts = [parse_pdu(pdu) for pdu in reversed(example.pdu.split())]
    assert join_text(part for part in parts if isinstance(part, Deliver)) == example.fields["text"]


SUBMITTED = [
    Example(
        "dreamfabric.com/sms: hellohello, without a validity period",
        "0001000B916407281553F800000AE8329BFD4697D9EC37",
        {"recipient": "+46708251358", "text": "hellohello"},
    ),
    Example(
        f"{MESSAGING}: with an SMSC",
        "07914346466554F601000B914316565811F9000004E8373B0C",
        {"recipient": "+34616585119", "text": "hola", "smsc": "+34646456456"},
    ),
    Example(
        f"{MESSAGING}: flash",
        "0001000B914356143254F6001006E8721E947F03",
        {"recipient": "+34654123456", "text": "hey yo", "message_class": 0},
    ),
    Example(
        f"{MESSAGING}: Latin letters",
        "0001000B914356143254F6000009C2AD341104EDFB00",
        {"recipient": "+34654123456", "text": "BÄRÇA äñ@"},
    ),
    Example(
        f"{MESSAGING}: UCS-2",
        "07914346466554F601000B914316565811F9000806304253F68449",
        {"recipient": "+34616585119", "text": "あ叶葉", "smsc": "+34646456456"},
    ),
    Example(
        f"{MESSAGING}: 8-bit",
        "07914400000000F001000B811000000000F000040B48692074686572652E2E2E",
        {"recipient": "01000000000", "text": "", "data": b"Hi there...", "smsc": "+44000000000"},
    ),
]


@pytest.mark.parametrize("example", SUBMITTED, ids=lambda example: example.source)
def test_a_submit_pdu_is_written_as_its_source_has_it(example: Example) -> None:
    assert encode_submit(**example.fields) == [example.pdu]


@pytest.mark.parametrize("example", SUBMITTED, ids=lambda example: example.source)
def test_an_outgoing_pdu_is_no_received_sms(example: Example) -> None:
    with pytest.raises(BadPdu, match="begins an outgoing one"):
        parse_pdu(example.pdu)


@pytest.mark.parametrize(
    ("pdu", "length"),
    [
        pytest.param("07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07", 30, id=OFONO),
        pytest.param("07914346466554F601000B914316565811F9000004E8373B0C", 17, id=MESSAGING),
    ],
)
def test_the_published_length_counts_what_follows_the_smsc(pdu: str, length: int) -> None:
    assert tpdu_length(pdu) == length
