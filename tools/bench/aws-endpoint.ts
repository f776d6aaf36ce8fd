import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { sample } from '../../test/support/builders/builders.ts';

/** The stand-in for AWS. `authorityFile` contains the certificate that its clients must trust. */
export type Endpoint = { readonly url: string; readonly authorityFile: string; readonly stop: () => void };

/** Starts the endpoint in its own process, so that its work is not measured. openssl writes its certificate into `folder`. */
export async function startEndpoint(folder: string): Promise<Endpoint> {
  const [keyFile, authorityFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const request = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-nodes'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, ...request, '-out', authorityFile], { stdio: 'ignore' });
  const child = fork(fileURLToPath(import.meta.url), [keyFile, authorityFile]);
  const [port] = await once(child, 'message');
  return { url: `https://127.0.0.1:${port}`, authorityFile, stop: () => child.kill() };
}

const responses: Readonly<Record<string, (input: Readonly<Record<string, string>>) => object | undefined>> = {
  SendMessage: ({ MessageBody = '' }) => ({
    MessageId: '5fea7756-0ea4-451a-a703-a558b933e274',
    MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
  }),
  GetSecretValue: ({ SecretId: ARN, VersionStage = 'AWSCURRENT' }) => {
    const version = { VersionId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111', VersionStages: ['AWSCURRENT'] };
    const secret = { ARN, CreatedDate: Date.now() / 1_000, SecretString: sample.secret, ...version };
    return VersionStage === 'AWSCURRENT' ? secret : undefined;
  },
  UpdateItem: () => ({ Attributes: { userUpload: { S: 'one' }, addedAt: { S: sample.receivedAt } } }),
  PutItem: () => ({}),
};

// Answers for SQS, DynamoDB and Secrets Manager at once.
function serve(keyFile: string, certificateFile: string): void {
  const credentials = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const server = createServer({ ...credentials, keepAliveTimeout: 60_000 }, async (request, response) => {
    const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const answer = responses[action]?.(JSON.parse(await text(request)));
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (answer) return response.end(JSON.stringify(answer));
    response.writeHead(400, { 'x-amzn-errortype': 'ResourceNotFoundException' });
    response.end(JSON.stringify({ __type: 'ResourceNotFoundException', message: `${action} found nothing.` }));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit());
}

if (import.meta.main) serve(process.argv[2] ?? '', process.argv[3] ?? '');
