// Builds ../dist from the sources here: node build.mjs. What it writes depends
// on nothing but the sources and the versions in package-lock.json.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dist = process.argv[2] ?? "../dist";
mkdirSync(dist, { recursive: true });

const common = { bundle: true, minify: true, charset: "utf8", legalComments: "none", target: "es2022", logLevel: "warning", metafile: true };
const results = [
  await build({ ...common, entryPoints: { app: "src/main.ts" }, format: "iife", outdir: dist }),
  await build({ ...common, entryPoints: { worker: "src/umap_worker.ts" }, format: "iife", outdir: dist }),
  await build({ ...common, entryPoints: { style: "style.css" }, outdir: dist }),
];
writeFileSync(join(dist, "index.html"), readFileSync("index.html"));

// A report carries both inside elements that these would end.
for (const [file, end] of [["app.js", "</script"], ["style.css", "</style"]]) {
  if (readFileSync(join(dist, file), "utf8").toLowerCase().includes(end)) throw new Error(`${file} contains ${end}`);
}

writeFileSync(join(dist, "THIRD_PARTY_LICENCES.txt"), licences());
writeFileSync(join(dist, "sources.sha256"), sourcesHash() + "\n");

// licences quotes the licence of every package of which something was bundled.
function licences() {
  const packages = new Set();
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (found) packages.add(found[1]);
    }
  }
  const blocks = [...packages].sort().map((name) => {
    const folder = join("node_modules", name);
    const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : `No licence file is in the package; its package.json says ${about.license}.`;
    return `${name} ${about.version} (${about.license})\n\n${text}\n`;
  });
  return "The page contains code of these packages.\n\n" + blocks.join("\n" + "-".repeat(80) + "\n\n");
}

// sourcesHash is what TestDistIsCurrent of the Go package computes as well.
function sourcesHash() {
  const files = ["build.mjs", "index.html", "package-lock.json", "package.json", "style.css", "tsconfig.json"];
  for (const file of readdirSync("src", { recursive: true })) {
    if (file.endsWith(".ts")) files.push("src/" + file.replaceAll("\\", "/"));
  }
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    const content = readFileSync(file);
    hash.update(`${file}\n${content.length}\n`);
    hash.update(content);
  }
  return hash.digest("hex");
}
