// Builds dist: the client as one ES module and as one CommonJS module, and its types. Run by `npm ci` and `npm pack`.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { minify } from "terser";
import ts from "typescript";

const ENTRIES = ["index", "playwright", "testing", "cypress"];
// What the types of the index are made of, in one file; of the classes these are handed out, and not made by who uses them.
const PARTS = ["types", "errors", "client"];
const HANDED_OUT = ["LeasedLine", "LeasedLines"];

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });
// One for both: a CommonJS module's types are right for `import` too, as long as nothing is exported by default.
emitTypes("dist/types");
const parts = PARTS.map((name) => partOf(readFileSync(`dist/types/${name}.d.ts`, "utf8")));
for (const name of readdirSync("dist/types")) if (!ENTRIES.includes(name.split(".")[0])) rmSync(`dist/types/${name}`);
writeFileSync("dist/types/index.d.ts", `${parts.join("")}export type { ${HANDED_OUT.join(", ")} };\n`);
buildSync({
  entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
  bundle: true,
  packages: "external",
  external: ["smscatch"],
  tsconfigRaw: "{}",
  target: "es2022",
  // Without comments both modules lie within the 32 KB in which gzip finds what is there twice.
  minify: true,
  format: "esm",
  outdir: "dist/esm",
});
mkdirSync("dist/cjs");
for (const name of ENTRIES) {
  const bundled = readFileSync(`dist/esm/${name}.js`, "utf8").replace('from"smscatch"', 'from"./index.js"');
  const { code } = await minify(bundled, { module: true, ecma: 2022, compress: { passes: 3 } }); // a little smaller again
  writeFileSync(`dist/esm/${name}.js`, code);
  writeFileSync(`dist/cjs/${name}.js`, asCommonJs(code));
}
writeFileSync("dist/esm/package.json", '{"type":"module"}\n'); // the rest is CommonJS

/** Return types as a part of the index: without imports, functions of ours, and what is said of a file, which no editor shows. */
function partOf(types) {
  const handedOut = new RegExp(`^export (?=declare class (?:${HANDED_OUT.join("|")}) )`, "gm");
  return types
    .replace(/^\/\*\*.*?\*\/\n/s, "")
    .replace(/^import [^\n]*\n|^export \{\};\n|^(?:\/\*\* [^\n]*\*\/\n)?export declare function [^\n]*\n/gm, "")
    .replace(handedOut, "");
}

/** Return a module of ours with other imports and exports, else byte for byte the same: gzip packs it for nothing. */
function asCommonJs(code) {
  const swap = (names) => names.replace(/([\w$]+)\s+as\s+([\w$]+)/g, "$2:$1");
  return code
    .replace(/import\{([^}]*)\}from("[^"]+")/g, (_, names, from) => `const{${names.replace(/\s+as\s+/g, ":")}}=require(${from})`)
    .replace(/export\{([^}]*)\}/, (_, names) => `module.exports={${swap(names)}}`);
}

/** Check all types, and write the declarations. */
function emitTypes(outDir) {
  const given = JSON.parse(readFileSync("tsconfig.json", "utf8"));
  const { options, fileNames } = ts.parseJsonConfigFileContent(given, ts.sys, ".");
  const program = ts.createProgram(fileNames, { ...options, outDir });
  const { diagnostics } = program.emit();
  const wrong = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (wrong.length === 0) return;
  const host = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: ts.sys.getCurrentDirectory,
    getNewLine: () => "\n",
  };
  process.stderr.write(ts.formatDiagnostics(wrong, host));
  process.exit(1);
}
