import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'node:https';

/** What AWS answered: the HTTP status and the JSON. */
export type AwsAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

const agent = new Agent({ keepAlive: true });
const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN, AWS_REGION = '' } = process.env;

/**
 * Calls one action of an AWS service that speaks JSON, signed by hand (Signature Version 4). Nothing that a product needs: no
 * retries, no time-outs. It shows what the calls cost by themselves.
 */
export async function callAws(
  service: string,
  endpoint: string,
  target: string,
  version: '1.0' | '1.1',
  input: object,
): Promise<AwsAnswer> {
  const body = JSON.stringify(input);
  const url = new URL(endpoint);
  const amzDate = new Date().toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    'content-type': `application/x-amz-json-${version}`,
    host: url.host,
    'x-amz-date': amzDate,
    ...(AWS_SESSION_TOKEN && { 'x-amz-security-token': AWS_SESSION_TOKEN }),
    'x-amz-target': target,
  };
  return exchange(url, { ...headers, authorization: authorizationOf(service, headers, body, amzDate) }, body);
}

function authorizationOf(service: string, headers: Record<string, string>, body: string, amzDate: string): string {
  const date = amzDate.slice(0, 8);
  const scope = `${date}/${AWS_REGION}/${service}/aws4_request`;
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${hash(body)}`;
  const toSign = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hash(canonical)}`;
  const key = [date, AWS_REGION, service, 'aws4_request'].reduce<string | Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    `AWS4${AWS_SECRET_ACCESS_KEY}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function exchange(url: URL, headers: Record<string, string>, body: string): Promise<AwsAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url;
    const outgoing = request({ agent, hostname, port, method: 'POST', headers }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          text += chunk;
        })
        .on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    outgoing.on('error', reject).end(body);
  });
}
