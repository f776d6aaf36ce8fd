import { exitOnSignals } from '../../tools/local/temporary-folder.ts';

const proofs = {
  deploy: 'deploys, changes and destroys the stack in an AWS emulator with the CDK CLI, and lints the templates',
  'dynamodb-local': 'runs the tests of the upload store on DynamoDB Local',
  runtime: "runs the end-to-end tests with Lambda's own runtime client, aws-lambda-ric",
  faults: 'delivers webhooks while SQS, DynamoDB and Argyle fail and functions are killed, then checks every record',
  fuzz: 'sends a million hostile inputs to ingest and a worker',
  soak: 'loses 5 % of the deliveries, reconciles, and checks every record',
  rotation: 'rotates the webhook secret under load, with the real waits',
  scale: 'reconciles a million uploads and measures memory, time and requests',
  mutation: 'changes the code in hundreds of ways and expects the tests to notice',
} as const;

const [name, ...options] = process.argv.slice(2);
if (name === undefined || name === '--help') {
  const lines = Object.entries(proofs).map(([proof, purpose]) => `  ${proof.padEnd(16)}${purpose}`);
  console.log(
    `usage: npm run proof -- NAME [options]\n\n${lines.join('\n')}\n\nNAME --help describes the options of a proof.`,
  );
} else if (!Object.hasOwn(proofs, name)) {
  console.error(`There is no proof ${JSON.stringify(name)}. Use one of ${Object.keys(proofs).join(', ')}.`);
  process.exitCode = 2;
} else {
  exitOnSignals();
  // Runs in this process, so that the exit code and the signals are those of the proof.
  process.argv.splice(2, process.argv.length, ...options);
  await import(`./${name}/run.ts`);
}
