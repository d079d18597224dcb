// Builds dist: the client as one ES module and as one CommonJS module, and its types. Run by `npm ci` and `npm pack`.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";
import ts from "typescript";

const ENTRIES = ["index"];
// What the types of the entries need; the rest is ours alone.
const TYPES = [...ENTRIES, "client", "errors", "types"];

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });
emitTypes("dist/types");
const SMALL = { minify: true, lineLimit: 120, target: "es2022" };
buildSync({
  ...SMALL,
  entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
  bundle: true,
  packages: "external",
  format: "esm",
  outdir: "dist/esm",
});
mkdirSync("dist/cjs");
for (const name of ENTRIES) {
  // Made of the other, so that they differ at their ends alone: gzip then packs the second one for nothing.
  const { code } = transformSync(readFileSync(`dist/esm/${name}.js`, "utf8"), {
    ...SMALL,
    minify: false,
    minifyWhitespace: true,
    format: "cjs",
  });
  writeFileSync(`dist/cjs/${name}.js`, code);
}
for (const [folder, type] of [["esm", "module"], ["cjs", "commonjs"]]) {
  writeFileSync(`dist/${folder}/package.json`, `{"type":"${type}"}\n`);
  for (const name of TYPES) cpSync(`dist/types/${name}.d.ts`, `dist/${folder}/${name}.d.ts`);
}
rmSync("dist/types", { recursive: true });

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
