/** Who this browser's person is: a name and a colour, kept in this browser. */

export interface Identity {
  name: string;
  color: string;
}

export const MAX_NAME = 80;

/** Dark enough for white letters on them, and light enough for a cursor on a dark ground. */
export const COLORS = [
  "#c2410c",
  "#b45309",
  "#4d7c0f",
  "#15803d",
  "#0f766e",
  "#0e7490",
  "#1d6fd1",
  "#4f63d8",
  "#7c4fd6",
  "#a33fc4",
  "#c0358a",
  "#cf3a4d",
];

const NAME = "pairloom.name";
const COLOR = "pairloom.color";

type Kept = Pick<Storage, "getItem" | "setItem">;

export function loadIdentity(storage: Kept = localStorage, random: () => number = Math.random): Identity {
  let name = storage.getItem(NAME);
  let color = storage.getItem(COLOR);
  if (!name) {
    name = `Guest ${Math.floor(random() * 90) + 10}`;
    storage.setItem(NAME, name);
  }
  if (!color || !isColor(color)) {
    color = COLORS[Math.floor(random() * COLORS.length)] ?? "#1d6fd1";
    storage.setItem(COLOR, color);
  }
  return { name, color };
}

/** Keeps a new name; gives it as it is kept, or null if there is nothing in it. */
export function keepName(raw: string, storage: Kept = localStorage): string | null {
  const name = raw.replace(/\s+/g, " ").trim().slice(0, MAX_NAME);
  if (!name) return null;
  storage.setItem(NAME, name);
  return name;
}

/** Whether a colour that somebody else sent is a plain one; anything else must not reach a style. */
export function isColor(color: unknown): color is string {
  return typeof color === "string" && /^(#[0-9a-f]{3,8}|[a-z]{3,20})$/i.test(color);
}
