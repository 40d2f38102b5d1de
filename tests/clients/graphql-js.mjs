// Documents for ShipHero's schema: the sandbox refuses those that graphql-js refuses, and takes the others.
import { readFileSync } from 'node:fs';
import { all, assert, check, require } from './checks.mjs';

const { buildSchema, parse, validate, getOperationAST } = require('graphql');
const { getVariableValues } = require('graphql/execution/values.js');
const text = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const { extendSchema } = require('graphql');
const schema = extendSchema(buildSchema(text('../../sandbox/shiphero/schema.graphql')), parse(text('../../sandbox/shiphero/extensions.graphql')));
const url = process.env.SHIPHERO;
const signIn = { method: 'POST', body: JSON.stringify({ username: 'sandbox@example.com', password: 'sandbox' }) };
const token = (await (await fetch(`${url}/auth/token`, signIn)).json()).access_token;

/** Why graphql-js refuses a request; nothing, where it takes it. */
function refusal(query, variables, name) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return error.message;
  }
  const errors = validate(schema, document);
  if (errors.length) return errors[0].message;
  const operation = getOperationAST(document, name);
  if (!operation) return 'no operation';
  if (operation.operation === 'subscription') return 'no subscriptions';
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors?.[0].message;
}

const documents = text('graphql-documents.txt').split('\n---\n');
documents.forEach((document, at) =>
  check(`document_${at + 1}`, async () => {
    const lines = document.trim().split('\n');
    const query = lines.filter((line) => !line.startsWith('#: ') && !line.startsWith('#name ')).join('\n');
    const variables = JSON.parse(lines.find((line) => line.startsWith('#: '))?.slice(3) ?? '{}');
    const operationName = lines.find((line) => line.startsWith('#name '))?.slice(6);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables, operationName }) });
    const why = refusal(query, variables, operationName);
    assert((answer.status === 400) === Boolean(why), `${query}: ${answer.status}, and graphql-js ${why ?? 'takes it'}: ${(await answer.text()).slice(0, 200)}`);
    assert(answer.status === 400 || answer.status === 200, `${query}: ${answer.status}`);
  }),
);
await all();
process.exit(0);
