/** Light or dark: as the system says, until a person chooses. */

export type Theme = "light" | "dark";

const KEY = "pairloom.theme";

/** The theme to start with; a chosen one is put on the page. */
export function startTheme(): Theme {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset["theme"] = chosen;
    return chosen;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  document.documentElement.dataset["theme"] = theme;
}

/** Calls back when the system's theme changes and nobody has chosen one here. */
export function watchSystemTheme(changed: (theme: Theme) => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (localStorage.getItem(KEY) === null) changed(event.matches ? "dark" : "light");
  });
}
