import { createContext, useContext } from "react";
import type { Picked } from "./collecting";

/** Brings picked files into the room and shows what came of it. */
export type Bring = (files: Picked[]) => Promise<void>;

export const ImportContext = createContext<Bring>(() => Promise.resolve());

export function useImport(): Bring {
  return useContext(ImportContext);
}
