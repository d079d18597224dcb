// What Node loads at its start while it is caught: TLS to providers' names leads to our port, and nothing else does.
// Beside it lies `where`, with the port and the providers' hosts as a regular expression.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const tls = require("node:tls");
const { syncBuiltinESMExports } = require("node:module");

const [port, hosts] = fs.readFileSync(path.join(__dirname, "where"), "utf8").split("\n");
const providers = new RegExp(hosts, "i");
const connect = tls.connect;

// The forms of tls.connect: (options), (port, options), (port, host, options), (path, options), each with a callback.
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

tls.connect = function (...given) {
  const options = optionsOf(given);
  // Who has looked the name up already gives the address as the host.
  const name = [options.host, options.servername].find((host) => typeof host === "string" && providers.test(host));
  // With a socket or a path the connection is there already: a proxy's, or that of another process.
  if (options.socket || options.path || name === undefined) {
    return connect.apply(this, given);
  }
  const led = { ...options, host: "127.0.0.1", port: Number(port), servername: options.servername || name };
  delete led.lookup;
  const callback = given.find((argument) => typeof argument === "function");
  return callback ? connect.call(this, led, callback) : connect.call(this, led);
};
syncBuiltinESMExports();
