// What Node loads at its start while it is caught: connections to providers' names lead to our port, no others do.
// Beside it lies `where`, with the port and the providers' hosts as a regular expression.
"use strict";
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const tls = require("node:tls");
const { syncBuiltinESMExports } = require("node:module");

const [port, hosts] = fs.readFileSync(path.join(__dirname, "where"), "utf8").split("\n");
const providers = new RegExp(hosts, "i");
const isProvider = (host) => typeof host === "string" && providers.test(host);
const callbackOf = (given) => given.find((argument) => typeof argument === "function");

// The forms of connect: (options), (port, options), (port, host, options), (path, options), each with a callback.
function optionsOf(given) {
  const [first, second] = given;
  const options = { ...given.find((argument) => argument !== null && typeof argument === "object") };
  if (typeof first === "number" || (typeof first === "string" && /^\d+$/.test(first))) {
    options.port ??= first;
    if (typeof second === "string") options.host ??= second;
  } else if (typeof first === "string") {
    options.path ??= first;
  }
  return options;
}

// All that is spoken over TCP begins here. Who has looked the name up already gives an address, and the name for TLS.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const told = Array.isArray(given[0]) ? given[0] : given; // as net.connect hands them on
  const options = optionsOf(told);
  if (options.path || !(isProvider(options.host) || isProvider(options.servername))) return connect.apply(this, given);
  const led = { ...options, host: "127.0.0.1", port: Number(port) };
  delete led.lookup;
  return connect.call(this, led, callbackOf(told));
};

// Without a name for TLS the listener would not know whom it is asked for.
const connectTls = tls.connect;
tls.connect = function (...given) {
  const options = optionsOf(given);
  if (options.socket || options.path || options.servername || !isProvider(options.host)) {
    return connectTls.apply(this, given);
  }
  return connectTls.call(this, { ...options, servername: options.host }, callbackOf(given));
};
syncBuiltinESMExports();
