// An application on npm's smpp. Usage: node esme.mjs URL SYSTEM_ID PASSWORD, with what to submit on standard input, a JSON
// list. It prints a line of JSON for each answer and each delivery, and unbinds when its standard input ends.
import readline from "node:readline";
import smpp from "smpp";

const [url, system_id, password] = process.argv.slice(2);
const tell = (fact) => console.log(JSON.stringify(fact));
const session = smpp.connect({ url });
const said = (message) => message.message ?? message;

session.on(url.startsWith("ssmpp") ? "secureConnect" : "connect", () => {
  session.bind_transceiver({ system_id, password }, (answer) => {
    tell({ bind: answer.command_status });
    const lines = readline.createInterface({ input: process.stdin });
    lines.on("line", (line) => {
      const { octets, ...fields } = JSON.parse(line);
      if (octets !== undefined) fields.short_message = Buffer.from(octets, "hex");
      session.submit_sm(fields, ({ command_status, message_id }) => tell({ command_status, message_id }));
    });
    lines.on("close", () => session.unbind(() => session.close()));
  });
});
session.on("deliver_sm", (pdu) => {
  session.send(pdu.response());
  const { source_addr, esm_class, receipted_message_id = null, message_state = null } = pdu;
  tell({ source_addr, esm_class, receipted_message_id, message_state, text: said(pdu.short_message) });
});
