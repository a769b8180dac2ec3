// Copies the pinned files out of node_modules and writes VENDOR.json beside them.
// Run in this folder after a version changed in package.json: npm ci && npm run copy
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

const SHIPPED = [
  { name: "htmx", source: "htmx.org", files: { "dist/htmx.min.js": "min.js" } },
  { name: "pico", source: "@picocss/pico", files: { "css/pico.classless.min.css": "min.css" } },
  { name: "uplot", source: "uplot", files: { "dist/uPlot.iife.min.js": "min.js", "dist/uPlot.min.css": "min.css" } },
];
const FOR_TESTS = [{ name: "axe-core", source: "axe-core", files: { "axe.min.js": "min.js" } }];

function vendor(libraries, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const entries = libraries.map(({ name, source, files }) => {
    const home = join(here, "node_modules", source);
    const { version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const licenceFile = `${name}-${version}.LICENSE.txt`;
    copyFileSync(join(home, readdirSync(home).find((file) => /^licen[cs]e(\.md|\.txt)?$/i.test(file))), join(folder, licenceFile));
    const copies = Object.entries(files).map(([from, ending]) => {
      const file = `${name}-${version}.${ending}`;
      copyFileSync(join(home, from), join(folder, file));
      return { file, from, sha256: createHash("sha256").update(readFileSync(join(folder, file))).digest("hex") };
    });
    return { name, version, licence: license, licence_file: licenceFile, source, files: copies };
  });
  writeFileSync(join(folder, "VENDOR.json"), JSON.stringify(entries, null, 2) + "\n");
}

vendor(SHIPPED, join(root, "static", "vendor"));
vendor(FOR_TESTS, join(root, "tests", "e2e", "vendor"));
