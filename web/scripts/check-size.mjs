// Prints what a browser downloads before each page can run. Fails when what people meet first (the pages before sign-in
// and the dashboard they land on) is above 250 kB gzip (docs: ui.md, "Proof"), or when a page behind them outgrows its own.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const INITIAL_LIMIT_KB = 250;
const PAGE_LIMIT_KB = 300;
const isInitial = (name) => /every page|features\/auth|tenancy\/(onboarding|accept)|dashboard/.test(name);
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));

const sizes = new Map();
function size(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
  return sizes.get(file);
}

function staticGraph(key, files = new Set()) {
  const chunk = manifest[key];
  if (!chunk || files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) staticGraph(imported, files);
  return files;
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const initial = staticGraph(entry);
const kb = (files) => [...files].filter((f) => f.endsWith('.js')).reduce((sum, f) => sum + size(f), 0) / 1024;

// What main.tsx loads before anything is shown is part of every page, so it is counted for every page.
const pages = Object.keys(manifest).filter((key) => /-page\.tsx$/.test(key));
const rows = pages.map((key) => {
  const files = staticGraph(key, new Set(initial));
  if (/features\/(?!auth|tenancy\/onboarding|tenancy\/accept)/.test(key))
    staticGraph('src/shell/app-frame.tsx', files);
  return [key, kb(files)];
});
rows.sort((a, b) => b[1] - a[1]);

const print = (name, value) => process.stdout.write(`${value.toFixed(1).padStart(7)} kB  ${name}\n`);
process.stdout.write('JavaScript before the page runs, gzip:\n');
print('(every page)', kb(initial));
for (const [name, value] of rows) print(name, value);

const over = [['(every page)', kb(initial)], ...rows].filter(
  ([name, value]) => value > (isInitial(name) ? INITIAL_LIMIT_KB : PAGE_LIMIT_KB),
);
if (over.length > 0) {
  process.stderr.write(`Over the limit: ${over.map(([name]) => name).join(', ')}\n`);
  process.exit(1);
}
