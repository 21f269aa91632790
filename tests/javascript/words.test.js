// Numbers, lists and sentences, as Python's side has them (tests/explorer/test_javascript.py compares the two).

import assert from "node:assert/strict";
import test from "node:test";

import { apart, decades, lossRange, plotBox, roundTicks, stepTicks } from "../../optim_lib/explorer/js/axes.js";
import { hashOf, indexOfLabel, mergeQuest, mergeSetting, settingOf } from "../../optim_lib/explorer/js/keep.js";
import { verdict } from "../../optim_lib/explorer/js/quests.js";
import { standings } from "../../optim_lib/explorer/js/sentences.js";
import { SvgContext } from "../../optim_lib/explorer/js/svg.js";
import { DIVERGED, bit, decade } from "../../optim_lib/explorer/js/table.js";
import { wrapped } from "../../optim_lib/explorer/js/tools.js";
import { listed, lossText, plainNumber, quoted } from "../../optim_lib/explorer/js/words.js";

const code = (exponent, digits) => (exponent + 16) * 900 + digits - 100;

test("losses are written to three digits", () => {
  const told = { 0.0316: [-2, 316], 1: [0, 100], 12.5: [1, 125], 1200: [3, 120], "1.5e-7": [-7, 150], "2e8": [8, 200] };
  for (const [text, [exponent, digits]] of Object.entries(told)) assert.equal(lossText(code(exponent, digits)), text);
  assert.equal(lossText(DIVERGED), "diverged");
  assert.equal(lossText(0), "under 1e-16");
  assert.ok(Math.abs(decade(code(-2, 316)) - Math.log10(0.0316)) < 1e-12);
});

test("lists read as sentences do", () => {
  assert.equal(listed(["a"]), "a");
  assert.equal(listed(["a", "b", "c"]), "a, b and c");
  assert.equal(quoted('a, "b"'), '"a, ""b"""');
});

test("who is level is said to be level", () => {
  const runs = [
    [code(-1, 100), "Adam"],
    [code(-1, 100), "SGD"],
    [code(0, 100), "AdaGrad"],
  ];
  assert.equal(standings(runs), "Adam and SGD are level at 0.1, then AdaGrad at 1");
  assert.equal(standings(runs.slice(1)), "SGD is lowest at 0.1, then AdaGrad at 1");
  assert.equal(standings(runs.slice(2)), "AdaGrad is at 1");
  assert.equal(standings([[0, "SGD"]]), "SGD is under 1e-16");
});

test("numbers on an axis are as exact as one can see", () => {
  assert.equal(plainNumber(0.30000000000000004, 1), "0.3");
  assert.equal(plainNumber(-1234.5678, 10), "\u22121234.57");
  assert.equal(plainNumber(1e-12, 1), "0");
});

test("ticks are round and inside", () => {
  assert.deepEqual(roundTicks(-2.2, 2.2, 6), [-2, -1, 0, 1, 2]);
  assert.deepEqual(stepTicks(60), [0, 20, 40, 60]);
  assert.deepEqual(
    decades([-10, 2], 4).map((tick) => tick.power),
    [-9, -6, -3, 0],
  );
  assert.ok(decades([0, 1], 5).every((tick) => tick.text));
});

test("a chart of losses follows its runs, and a divergence only so far", () => {
  assert.deepEqual(lossRange([[2, 0.3]]), [0.25, 2]);
  assert.deepEqual(lossRange([[1, 30]]), [1, 2]);
  assert.deepEqual(lossRange([[1, 1]]), [0.75, 1.25]);
});

test("labels that would touch are left out, the last ones first", () => {
  const kept = apart(
    [10, 15, 30].map((at) => ({ at, size: 8 })),
    2,
  );
  assert.deepEqual(
    kept.map(({ at }) => at),
    [10, 30],
  );
});

test("a box knows where its values lie", () => {
  const box = plotBox({ width: 100, height: 50 }, { left: 10, right: 10, top: 5, bottom: 5 }, [0, 1]);
  assert.deepEqual([box.y(0), box.y(1), box.y(9)], [45, 5, -35]);
});

test("an address carries the setting of a figure, and is read again", () => {
  const hash = hashOf("adam-banana", { learning_rate: "0.1", start: "B" });
  assert.equal(hash, "#fig=adam-banana&learning_rate=0.1&start=B");
  assert.deepEqual(settingOf(hash), { fig: "adam-banana", learning_rate: "0.1", start: "B" });
  assert.equal(settingOf("#explore"), null);
});

test("a value is found on its axis, or the nearest", () => {
  const labels = ["0.01", "0.1", "1"];
  assert.equal(indexOfLabel(labels, "0.1"), 1);
  assert.equal(indexOfLabel(labels, "0.8"), 2);
  assert.equal(indexOfLabel(labels, "much"), -1);
});

test("what two tabs have done is done, and the first prediction counts", () => {
  assert.deepEqual(mergeQuest({ choice: 1 }, { choice: 0, done: true }), { choice: 1, done: true });
  assert.deepEqual(mergeSetting({ at: 1, a: "1" }, { at: 2, a: "2" }), { at: 2, a: "2" });
});

test("a verdict says what was predicted and what is so", () => {
  const quest = { choices: ["yes", "no"], answer: 1, because: "It diverges." };
  assert.equal(verdict(quest, 1), "As you predicted: \u201cno\u201d. It diverges.");
  assert.equal(verdict(quest, 0), "You predicted \u201cyes\u201d: it is \u201cno\u201d. It diverges.");
});

test("bits are read from the left", () => {
  assert.deepEqual(
    [0, 1, 7, 8].map((k) => bit(new Uint8Array([0b10000001, 0b10000000]), k)),
    [1, 0, 1, 1],
  );
});

test("a drawing is written as SVG", () => {
  const c = new SvgContext({ measureText: (text) => ({ width: 5 * text.length }) });
  c.save();
  c.translate(3, 4);
  c.beginPath();
  c.rect(0, 0, 9, 9);
  c.clip();
  c.fillRect(0, 0, 2, 2);
  c.restore();
  c.font = "600 12px Arial";
  c.fillText("a < b", 1, 2);
  const svg = c.document(10, 10, "T");
  assert.match(svg, /<clipPath id="clip-0"><path d="M0 0h9v9h-9Z" transform="translate\(3 4\)"\/>/);
  assert.match(svg, /<text [^>]*font-weight="600"[^>]*>a &lt; b<\/text>/);
  assert.deepEqual(wrapped(c, "aa bb cc", 25), ["aa bb", "cc"]);
});
