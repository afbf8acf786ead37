import { describe, expect, it } from "vitest";
import { at, moments, pieces, ticks } from "./scale";

describe("axes", () => {
  it.each([
    [0, [0, 1]],
    [0.9, [0, 0.25, 0.5, 0.75, 1]],
    [42, [0, 20, 40, 60]],
    [100, [0, 25, 50, 75, 100]],
    [1234, [0, 500, 1000, 1500]],
  ])("up to %s have round numbers", (most, expected) => expect(ticks(most)).toEqual(expected));

  it("name whole minutes", () => expect(moments(61, 661)).toEqual([120, 240, 360, 480, 600]));
});

it("leaves gaps where there are no figures", () => {
  expect(
    pieces(
      [
        [0, 1],
        [5, 1],
        [30, 2],
      ],
      5,
    ),
  ).toEqual([
    [
      [0, 1],
      [5, 1],
    ],
    [[30, 2]],
  ]);
});

it("reads the nearest value, if it is near", () => {
  expect([
    at(
      [
        [0, 1],
        [5, 2],
      ],
      4,
      5,
    ),
    at([[0, 1]], 60, 5),
  ]).toEqual([2, null]);
});
