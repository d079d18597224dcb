// An SMSC on npm's smpp that takes any bind, answers each submit_sm with an id, and sends its receipt at once: keeps nothing.
import smpp from "smpp";

let count = 0;
const receiptOf = ({ source_addr, destination_addr }, id) => ({
  source_addr: destination_addr,
  destination_addr: source_addr,
  esm_class: 4,
  short_message: `id:${id} sub:001 dlvrd:001 submit date:2611290000 done date:2611290000 stat:DELIVRD err:000 text:`,
  receipted_message_id: id,
  message_state: 2,
});
const server = smpp.createServer((session) => {
  session.on("bind_transceiver", (pdu) => session.send(pdu.response()));
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("submit_sm", (pdu) => {
    count += 1;
    const id = String(count);
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery === 1) session.deliver_sm(receiptOf(pdu, id));
  });
  session.on("error", () => {});
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listens"));
