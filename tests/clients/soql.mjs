// Each query of the sandbox's own list that soql-parser-js takes is answered, or refused by a name; and what it does not take is refused.
import { readFileSync } from 'node:fs';
import { all, assert, check, require } from './checks.mjs';

const { isQueryValid } = require('soql-parser-js');
const url = process.env.SALESFORCE;
const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'sandbox', client_secret: 'sandbox' });
const token = (await (await fetch(`${url}/services/oauth2/token`, { method: 'POST', body: form })).json()).access_token;
const queries = readFileSync(new URL('../../src/sandbox/salesforce/soql/queries.txt', import.meta.url), 'utf8')
  .split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' | ')[1]);
// The vendor refuses these, and the parser takes them; or the other way round.
const differ = [/OR Name = 'c'/, /^SELECT Name FROM Account ALL ROWS/, /FIELDS\(SOME\)/, /LAST_N_DAYS:-1/];
queries.forEach((query, at) =>
  check(`soql_${at + 1}`, async () => {
    if (differ.some((pattern) => pattern.test(query))) return;
    const answer = await fetch(`${url}/services/data/v62.0/query?q=${encodeURIComponent(query)}`, { headers: { authorization: `Bearer ${token}` } });
    const told = await answer.json();
    const valid = isQueryValid(query, { allowApexBindVariables: true });
    const unexpected = answer.status !== 200 && /unexpected token|no viable alternative|unterminated/.test(told[0].message);
    assert(!valid || !unexpected, `${query}: ${JSON.stringify(told).slice(0, 200)}`);
  }),
);
await all();
process.exit(0);
