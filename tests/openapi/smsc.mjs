// An SMSC on npm's smpp. It delivers what is in FOLDER/texts.jsonl, in that order, again and again until each is
// answered with 0, and notes whose answers it has in FOLDER/answered. Usage: node smsc.mjs FOLDER PORT
import fs from "node:fs";
import smpp from "smpp";

const [folder, port] = process.argv.slice(2);
const WINDOW = 20;
const texts = fs.readFileSync(`${folder}/texts.jsonl`, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const file = `${folder}/answered`;
const answered = new Set(fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number) : []);
const queue = [...texts.keys()].filter((number) => !answered.has(number));

const names = { 0x020c: "sar_msg_ref_num", 0x020e: "sar_total_segments", 0x020f: "sar_segment_seqnum" };
const pduOf = ({ source, octets, tlvs = [], ...rest }) => ({
  source_addr_ton: 5,
  source_addr: source,
  dest_addr_ton: 1,
  dest_addr_npi: 1,
  ...rest,
  short_message: Buffer.from(octets, "hex"),
  ...Object.fromEntries(tlvs.map(([tag, value]) => [names[tag], Number.parseInt(value, 16)])),
});

const serve = (session) => {
  const sent = new Set();
  const fill = () => {
    while (sent.size < WINDOW && queue.length > 0) {
      const number = queue.shift();
      sent.add(number);
      session.deliver_sm(pduOf(texts[number]), (answer) => {
        sent.delete(number);
        if (answer.command_status === 0) {
          answered.add(number);
          fs.appendFileSync(file, `${number}\n`);
        } else {
          queue.unshift(number);
        }
        setImmediate(fill);
      });
    }
  };
  const end = () => {
    queue.unshift(...sent);
    queue.sort((one, other) => one - other);
    sent.clear();
  };
  const bind = (pdu) => {
    if (pdu.password !== "secret") {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      return;
    }
    session.send(pdu.response());
    fill();
  };
  session.on("bind_transceiver", bind);
  session.on("bind_receiver", bind);
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => session.send(pdu.response()));
  session.on("error", end);
  session.on("close", end);
};

const server = smpp.createServer(serve);
server.listen(Number(port), "127.0.0.1", () => console.log("listens"));
