/** Folders whose comments are not mended yet. No folder is added; the list is empty. */
export const EXCEPTIONS: readonly string[] = []
