import type { ArgyleControl } from '../fake-argyle/control.ts';

type ArgyleAction = (argyle: ArgyleControl, upload: string) => Promise<object>;

/** What users and OCR do with documents at the fake Argyle, by the name of the page's button. */
export const argyleActions: Readonly<Record<string, ArgyleAction>> = {
  upload: (argyle) => argyle.uploadDocument(),
  success: (argyle, upload) => argyle.runOcr(upload, { result: 'success' }),
  failure: (argyle, upload) => argyle.runOcr(upload, { result: 'failure', error: 'The page is blurred.' }),
  authenticity: (argyle, upload) => argyle.runOcr(upload, { result: 'authenticity' }),
  remove: (argyle, upload) => argyle.removeUpload(upload),
  'remove-account': async (argyle, upload) => argyle.removeAccount((await argyle.readUpload(upload)).account),
};

/** Whether the fake Argyle lists a document. */
export async function isAtArgyle(argyle: ArgyleControl | undefined, upload: string): Promise<boolean> {
  return (
    (await argyle?.readUpload(upload).then(
      ({ isRemoved }) => !isRemoved,
      () => false,
    )) ?? false
  );
}
