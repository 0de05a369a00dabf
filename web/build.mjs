// Builds the client into dist/: index.html and assets/ with a content hash in each name.
import { context } from "esbuild";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, "dist", "assets");
const watch = process.argv.includes("--watch");

/** Fills index.html with the names of this build's entry files. */
const page = {
  name: "page",
  setup(build) {
    build.onEnd(async ({ errors, metafile }) => {
      if (errors.length || !metafile) return;
      const entry = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === "src/main.tsx");
      if (!entry || !entry[1].cssBundle) throw new Error("The build made no entry script or no style sheet.");
      // Only a build that worked takes the place of the one before.
      const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
      for (const name of await readdir(assets)) {
        if (!made.has(name)) await rm(join(assets, name));
      }
      const html = await readFile(join(here, "index.html"), "utf8");
      await writeFile(
        join(here, "dist", "index.html"),
        html
          .replace("%SCRIPT%", `/assets/${basename(entry[0])}`)
          .replace("%STYLE%", `/assets/${basename(entry[1].cssBundle)}`),
      );
    });
  },
};

const build = await context({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx"],
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  jsx: "automatic",
  minify: !watch,
  sourcemap: watch ? "linked" : false,
  legalComments: "none",
  define: { "process.env.NODE_ENV": watch ? '"development"' : '"production"' },
  metafile: true,
  logLevel: "info",
  plugins: [page],
});
if (watch) {
  await build.watch();
} else {
  await build.rebuild();
  await build.dispose();
}
