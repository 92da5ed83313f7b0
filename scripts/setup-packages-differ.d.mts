/** See setup-packages-differ.mjs. */
export function installedDiffers(lock: object | undefined, installed: object | undefined): string;
