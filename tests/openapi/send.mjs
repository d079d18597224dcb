// An application on npm's packages of providers: each sends a text to the numbers given, "SDK=NUMBER". Prints a line of JSON
// for each: what the package said of it, and of one that is refused. Where URL_SDK is set, the package is pointed there.
import { initClient } from "messagebird";
import Telnyx from "telnyx";
import twilio from "twilio";

const TEXT = "Your code is 482913 – now";
const at = (name) => process.env[`URL_${name.toUpperCase()}`];
const env = (name) => process.env[name];

const SENDERS = {
  async twilio(to) {
    const client = twilio(env("TWILIO_ACCOUNT_SID"), env("TWILIO_AUTH_TOKEN"));
    if (at("twilio")) client.api.baseUrl = at("twilio");
    const sent = await client.messages.create({ to, from: "+15005550006", body: TEXT });
    return { text: sent.body, parts: sent.numSegments, status: (await client.messages(sent.sid).fetch()).status };
  },
  async telnyx(to) {
    const client = new Telnyx({ apiKey: env("TELNYX_API_KEY"), ...(at("telnyx") && { baseURL: at("telnyx") }) });
    const { data } = await client.messages.send({ to, from: "+15005550006", text: TEXT });
    return { text: data.text, parts: data.parts, status: (await client.messages.retrieve(data.id)).data.to[0].status };
  },
  async messagebird(to) {
    const { messages } = initClient(env("MESSAGEBIRD_API_KEY"));
    const asked = { originator: "Acme", recipients: [to], body: TEXT };
    const sent = await new Promise((resolve, reject) => {
      messages.create(asked, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
    return { text: sent.body, status: sent.recipients.items[0].status };
  },
};

for (const [sdk, to] of process.argv.slice(2).map((each) => each.split("="))) {
  const sent = await SENDERS[sdk](to);
  const refused = await SENDERS[sdk]("12").catch((error) => ({
    name: error.constructor.name,
    status: error.status ?? error.statusCode,
    code: error.code ?? error.errors?.[0]?.code,
  }));
  console.log(JSON.stringify({ sdk, sent, refused }));
}
