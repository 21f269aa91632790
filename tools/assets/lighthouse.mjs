// What Lighthouse says of pages on a phone: node lighthouse.mjs MODULES CHROMIUM ADDRESS... prints a line of JSON for each.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, chromePath, ...addresses] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: lighthouse } = await load("lighthouse");
const { launch } = await load("chrome-launcher");
const chrome = await launch({ chromePath, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
try {
  for (const address of addresses) {
    const { lhr } = await lighthouse(address, { port: chrome.port, output: "json", logLevel: "error" });
    const score = (name) => Math.round(100 * lhr.categories[name].score);
    const seconds = (name) => lhr.audits[name].numericValue / 1000;
    const missed = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 0.9);
    const found = {
      performance: score("performance"),
      accessibility: score("accessibility"),
      best_practices: score("best-practices"),
      seo: score("seo"),
      first_paint_s: seconds("first-contentful-paint"),
      largest_paint_s: seconds("largest-contentful-paint"),
      blocked_s: seconds("total-blocking-time"),
      missed: missed.map(({ id, displayValue }) => `${id} ${displayValue ?? ""}`.trim()),
    };
    console.log(JSON.stringify(found));
  }
} finally {
  await chrome.kill();
}
