import { createHash } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

// A process of its own, so that its work is not counted: one address that answers for SQS, DynamoDB, Secrets Manager and Argyle,
// over TLS, at once and always well. `process.send` tells the port.
const { key, cert, secret, argyleKey } = JSON.parse(process.argv[2] ?? '{}');

type Input = Readonly<Record<string, string>>;

const answers: Readonly<Record<string, (input: Input) => object | undefined>> = {
  SendMessage: ({ MessageBody = '' }) => ({
    MessageId: '5fea7756-0ea4-451a-a703-a558b933e274',
    MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
  }),
  GetSecretValue: ({ SecretId, VersionStage = 'AWSCURRENT' }) =>
    VersionStage === 'AWSCURRENT'
      ? {
          ARN: SecretId,
          CreatedDate: Date.now() / 1_000,
          SecretString: SecretId?.includes('api-key') ? argyleKey : secret,
          VersionId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111',
          VersionStages: ['AWSCURRENT'],
        }
      : undefined,
  UpdateItem: () => ({ Attributes: { userUpload: { S: 'one' }, addedAt: { S: '2026-11-24T10:00:00.000Z' } } }),
  PutItem: () => ({}),
};

const server = createServer({ key, cert }, async (request, response) => {
  const body = await text(request);
  const [, id] = /^\/v2\/user-uploads\/(.+)$/.exec(request.url ?? '') ?? [];
  if (id) return response.setHeader('content-type', 'application/json').end(JSON.stringify(userUpload(id)));
  const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
  const answer = answers[action]?.(JSON.parse(body));
  response.setHeader('content-type', 'application/x-amz-json-1.1');
  if (answer) return response.end(JSON.stringify(answer));
  const refusal = { __type: 'ResourceNotFoundException', message: `There is no such thing for ${action}.` };
  response.writeHead(400, { 'x-amzn-errortype': refusal.__type }).end(JSON.stringify(refusal));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());

function userUpload(id: string): object {
  return {
    id,
    account: '01856c65-43b6-8b5d-b32a-56b8fbda5c28',
    document_type: 'paystubs',
    file_name: 'paystub.pdf',
    file_url: 'https://api-sandbox.argyle.com/v2/user-uploads-files/1',
    metadata: { ocr_data: null, ocr_authenticity: null, ocr_authenticity_score: null },
    processing: { classification: 'completed', ocr: 'in_progress', authenticity: 'idle' },
    created_at: '2026-11-24T10:00:00.000Z',
    updated_at: '2026-11-24T10:00:00.000Z',
  };
}
