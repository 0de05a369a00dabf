/** The language of a file, by its name; each is loaded when a file first needs it. */
import { LanguageDescription, type LanguageSupport } from "@codemirror/language";
import { languages } from "@codemirror/language-data";
import { baseName } from "../files/paths";

export function describeLanguage(path: string): LanguageDescription | null {
  return LanguageDescription.matchFilename(languages, baseName(path));
}

export async function loadLanguage(path: string): Promise<LanguageSupport | null> {
  return (await describeLanguage(path)?.load()) ?? null;
}
