import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from './bundle.ts';
import { webhookSecret } from './webhook-secret.ts';

/** The stand-in for AWS and Argyle: its URL, and the file with the authority that signed its certificate. */
export type Endpoint = { readonly url: string; readonly authorityFile: string; readonly stop: () => void };

/** Starts the endpoint in a process of its own, with a certificate that openssl makes in `folder`. */
export async function startEndpoint(folder: string): Promise<Endpoint> {
  const [keyFile, authorityFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const request = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-nodes'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...request, '-keyout', keyFile, '-out', authorityFile], {
    stdio: 'ignore',
  });
  const options = {
    key: readFileSync(keyFile, 'utf8'),
    cert: readFileSync(authorityFile, 'utf8'),
    secret: webhookSecret,
    argyleKey: JSON.stringify({ apiKeyId: 'bench', apiKeySecret: 'bench' }),
  };
  const child = fork(pathOf('aws-endpoint.ts'), [JSON.stringify(options)]);
  const [port] = await once(child, 'message');
  return { url: `https://127.0.0.1:${port}`, authorityFile, stop: () => child.kill() };
}
