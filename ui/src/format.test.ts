import { expect, it } from "vitest";
import { bytes, digits, duration, rate, share, verdict } from "./format";
import { type Translate, translate } from "./i18n";

const en: Translate = (key, values) => translate("en", key, values);
const ru: Translate = (key, values) => translate("ru", key, values);

it("keeps the digits that matter", () => {
  expect([0, 0.001, 0.5, 1.234, 12.34, 123.4, 4567].map(digits)).toEqual([
    "0",
    "<0.01",
    "0.5",
    "1.23",
    "12.3",
    "123",
    "4567",
  ]);
});

it("never shows a small share of failures as none, nor a large one as all", () => {
  expect([0, 0.0002, 0.015, 0.5, 0.9995, 1].map(share)).toEqual(["0%", "<0.1%", "1.5%", "50%", ">99.9%", "100%"]);
});

it("has units in both languages", () => {
  expect([
    rate(12, en),
    rate(12, ru),
    duration(1500, en),
    duration(3, ru),
    duration(null, en),
    bytes(1500, en),
  ]).toEqual(["12 req/s", "12 запр/с", "1.5 s", "3 мс", "–", "1.5 kB/s"]);
});

it("takes a share of failures for what it is", () => {
  expect([0, 0.0005, 0.01, 0.1].map(verdict)).toEqual(["ok", "ok", "warning", "error"]);
});

it("chooses the form of a number", () => {
  expect([1, 3, 5, 21].map((n) => ru("severity.error", { n }))).toEqual([
    "1 ошибка",
    "3 ошибки",
    "5 ошибок",
    "21 ошибка",
  ]);
  expect([1, 2].map((n) => en("severity.error", { n }))).toEqual(["1 error", "2 errors"]);
});
