// jsforce against the sandbox.
import { all, assert, check, notImitated, refused, require } from './checks.mjs';

const jsforce = require('jsforce');
const url = process.env.SALESFORCE;
const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'sandbox', client_secret: 'sandbox' });
const token = await (await fetch(`${url}/services/oauth2/token`, { method: 'POST', body: form })).json();
const connection = (version) => new jsforce.Connection({ instanceUrl: url, accessToken: token.access_token, version });
const conn = connection('62.0');
const order = (await conn.query('SELECT Id, AccountId FROM Order ORDER BY Id LIMIT 1')).records[0];
const contact = (await conn.query('SELECT Id FROM Contact ORDER BY Id LIMIT 1')).records[0];
const code = (wanted) => (error) => error.errorCode === wanted || error.name === wanted;

check('query', async () => assert((await conn.query('SELECT Id FROM Order')).totalSize === 50));
check('older_version', async () => assert((await connection('42.0').query('SELECT Id FROM Order LIMIT 1')).done));
check('unknown_version', async () => refused(() => connection('19.0').query('SELECT Id FROM Order'), code('NOT_FOUND')));
check('auto_fetch', async () => {
  const { records } = await conn.query('SELECT Id FROM OrderItem').run({ autoFetch: true, maxFetch: 5000 });
  assert(records.length === (await conn.query('SELECT COUNT() FROM OrderItem')).totalSize);
});
check('query_more', async () => {
  const first = await conn.query('SELECT Id FROM OrderItem', { headers: { 'Sforce-Query-Options': 'batchSize=200' } });
  assert(first.done || (await conn.queryMore(first.nextRecordsUrl)).records.length > 0);
});
check('scan_all', async () => assert((await conn.query('SELECT Id FROM Account', { scanAll: true })).totalSize >= 10));
check('find', async () => assert((await conn.sobject('Order').find({ Status: 'Activated' }, 'Id, Status').limit(3)).every((one) => one.Status === 'Activated')));
check('find_by_date', async () => {
  const from = jsforce.SfDate.toDateTimeLiteral(new Date(Date.now() - 86400000));
  assert((await conn.sobject('Order').find({ CreatedDate: { $gte: from } }).sort({ CreatedDate: -1 }).limit(2)).length === 2);
});
check('find_by_literal', async () => assert((await conn.sobject('Order').find({ CreatedDate: jsforce.SfDate.LAST_N_DAYS ? jsforce.SfDate.LAST_N_DAYS(7) : jsforce.SfDate.TODAY })).length > 0));
check('find_today', async () => assert((await conn.sobject('Order').find({ CreatedDate: { $gte: jsforce.SfDate.YESTERDAY } })).length > 0));
check('find_in', async () => assert((await conn.sobject('Order').find({ Status: { $in: ['Activated', 'Draft'] } }).limit(1)).length === 1));
check('find_like', async () => assert(Array.isArray(await conn.sobject('Contact').find({ LastName: { $like: 'A%' } }))));
check('find_or', async () => assert(Array.isArray(await conn.sobject('Order').find({ $or: [{ Status: 'Draft' }, { Status: 'Activated' }] }).limit(1))));
check('find_include', async () => {
  const found = await conn.sobject('Order').select('Id').include('OrderItems').select('Id, Quantity').end().limit(1);
  assert(found[0].OrderItems.records.length > 0);
});
check('find_one', async () => assert((await conn.sobject('Account').findOne({ Id: order.AccountId })).Id === order.AccountId));
check('count', async () => assert((await conn.sobject('Order').count()) === 50));
check('group', async () => {
  const { records } = await conn.query('SELECT Status, COUNT(Id) n FROM Order GROUP BY Status ORDER BY COUNT(Id) DESC');
  assert(records.reduce((sum, one) => sum + one.n, 0) === 50 && records[0].n >= records.at(-1).n);
});
check('aggregate', async () => assert(typeof (await conn.query('SELECT SUM(TotalAmount) s FROM Order')).records[0].s === 'number'));
check('explain_is_named', async () => refused(() => conn.query('SELECT Id FROM Order').explain(), (error) => error.message.includes('not imitate')));
check('malformed', async () => refused(() => conn.query('SELECT Id FROM'), code('MALFORMED_QUERY')));
check('unknown_field', async () => refused(() => conn.query('SELECT Nothing FROM Order'), code('INVALID_FIELD')));
check('create_retrieve_update_destroy', async () => {
  const made = await conn.sobject('Account').create({ Name: 'jsforce' });
  assert(made.success && made.id.length === 18 && made.errors.length === 0);
  assert((await conn.sobject('Account').retrieve(made.id)).Name === 'jsforce');
  assert((await conn.sobject('Account').update({ Id: made.id, Phone: '5' })).success);
  assert((await conn.sobject('Account').destroy(made.id)).success);
  await refused(() => conn.sobject('Account').retrieve(made.id), code('ENTITY_IS_DELETED'));
});
check('create_many', async () => {
  const made = await conn.sobject('Account').create([{ Name: 'one' }, { Name: 'two' }, {}], { allOrNone: false });
  assert(made.length === 3 && made[0].success && !made[2].success && made[2].errors[0].statusCode === 'REQUIRED_FIELD_MISSING', made);
});
check('all_or_none', async () => {
  const made = await conn.sobject('Account').create([{ Name: 'one' }, {}], { allOrNone: true }).catch((error) => error);
  assert(made instanceof Error || made.every((one) => !one.success), made);
});
check('update_many_and_destroy_many', async () => {
  const made = await conn.sobject('Account').create([{ Name: 'three' }, { Name: 'four' }]);
  assert((await conn.sobject('Account').update(made.map(({ id }) => ({ Id: id, Phone: '1' })))).every((one) => one.success));
  assert((await conn.sobject('Account').retrieve(made.map(({ id }) => id))).every((one) => one.Phone === '1'));
  assert((await conn.sobject('Account').destroy(made.map(({ id }) => id))).every((one) => one.success));
});
check('upsert', async () => {
  const body = { Shipment_Key__c: 'js-1', Order__c: order.Id };
  assert((await conn.sobject('Shipment__c').upsert(body, 'Shipment_Key__c')).created === true);
  assert((await conn.sobject('Shipment__c').upsert(body, 'Shipment_Key__c')).success);
});
check('upsert_many', async () => {
  const told = await conn.sobject('Shipment__c').upsert([{ Shipment_Key__c: 'js-2', Order__c: order.Id }, { Shipment_Key__c: 'js-3', Order__c: order.Id }], 'Shipment_Key__c');
  assert(told.length === 2 && told.every((one) => one.success && one.created), told);
});
check('reference_of_another_object', async () => refused(() => conn.sobject('Contact').create({ LastName: 'x', AccountId: contact.Id }), code('FIELD_INTEGRITY_EXCEPTION')));
check('duplicate_value', async () => refused(() => conn.sobject('Shipment__c').create({ Shipment_Key__c: 'js-1', Order__c: order.Id }), code('DUPLICATE_VALUE')));
check('a_word_for_an_id', async () => refused(() => conn.sobject('Account').retrieve('Nonsense'), code('NOT_FOUND')));
check('describe', async () => {
  const told = await conn.sobject('Opportunity').describe();
  assert(told.fields.find((one) => one.name === 'Probability').type === 'percent', told.fields.find((one) => one.name === 'Probability'));
});
check('describe_global', async () => assert((await conn.describeGlobal()).sobjects.find((one) => one.name === 'Shipment__c').custom === true));
check('updated', async () => {
  const told = await conn.sobject('Account').updated(new Date(Date.now() - 3600000).toISOString(), new Date(Date.now() + 3600000).toISOString());
  assert(told.ids.length > 0 && told.latestDateCovered, told);
});
check('deleted', async () => {
  const told = await conn.sobject('Account').deleted(new Date(Date.now() - 3600000), new Date(Date.now() + 3600000));
  assert(told.deletedRecords.length > 0 && told.earliestDateAvailable, told);
});
check('identity', async () => {
  const told = await conn.identity();
  assert(told.user_id && told.organization_id && told.username, told);
});
check('limits', async () => assert((await conn.limits()).DailyApiRequests.Max > 0));
check('limit_info', async () => assert(conn.limitInfo.apiUsage.used > 0, conn.limitInfo));
check('request', async () => assert((await conn.request('/services/data')).some((one) => one.version === '62.0')));
check('request_get', async () => assert((await conn.requestGet(`/services/data/v62.0/sobjects/Order/${order.Id}/OrderItems`)).done === true));
check('composite', async () => {
  const told = await conn.requestPost('/services/data/v62.0/composite', { compositeRequest: [{ method: 'GET', url: '/services/data/v62.0/limits', referenceId: 'l' }, { method: 'POST', url: '/services/data/v62.0/sobjects/Account', referenceId: 'a', body: { Name: 'c' } }] });
  assert(told.compositeResponse[1].httpHeaders.Location, told);
});
check('batch', async () => {
  const told = await conn.requestPost('/services/data/v62.0/composite/batch', { batchRequests: [{ method: 'GET', url: 'v62.0/sobjects/Account/Nonsense' }] });
  assert(told.hasErrors === true && told.results[0].statusCode === 404, told);
});
check('tree', async () => {
  const told = await conn.requestPost('/services/data/v62.0/composite/tree/Account', { records: [{ attributes: { type: 'Account', referenceId: 'r' }, Name: 't' }] });
  assert(told.hasErrors === false, told);
});
check('graph', async () => {
  const told = await conn.requestPost('/services/data/v62.0/composite/graph', { graphs: [{ graphId: 'g', compositeRequest: [{ method: 'POST', url: '/services/data/v62.0/sobjects/Account', referenceId: 'a', body: { Name: 'c' } }] }] });
  assert(told.graphs[0].isSuccessful === true, told);
});
check('bulk2_load', async () => {
  const told = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input: [{ Name: 'bulk js' }], pollInterval: 500, pollTimeout: 30000 });
  assert(told.successfulResults.length === 1 && told.failedResults.length === 0 && told.unprocessedRecords.length === 0, told);
});
check('bulk2_query', async () => {
  const stream = await conn.bulk2.query('SELECT Id, Name FROM Account ORDER BY Id');
  const records = await stream.toArray();
  assert(records.length >= 10 && records[0].Id.length === 18, records[0]);
});
check('bulk2_job_info', async () => {
  const job = conn.bulk2.createJob({ object: 'Account', operation: 'insert' });
  await job.open();
  const told = await job.check();
  assert(told.state === 'Open' && told.numberRecordsProcessed === 0 && told.totalProcessingTime === 0, told);
  await job.abort();
});
check('wrong_token', async () => refused(() => new jsforce.Connection({ instanceUrl: url, accessToken: 'other', version: '62.0' }).query('SELECT Id FROM Order'), code('INVALID_SESSION_ID')));
check('sign_in_by_password', async () => {
  const oauth2 = { loginUrl: url, clientId: 'sandbox', clientSecret: 'sandbox' };
  const other = new jsforce.Connection({ oauth2, version: '62.0' });
  const told = await other.login('integration@sandbox.example.com', 'sandbox');
  assert(told.id && told.organizationId, told);
  await other.logout(true).catch((error) => { throw error; });
});
notImitated('sign_in_by_soap', () => new jsforce.Connection({ loginUrl: url, version: '62.0' }).login('integration@sandbox.example.com', 'sandbox'));
notImitated('search', () => conn.search('FIND {x} IN ALL FIELDS RETURNING Account'));
notImitated('tooling', () => conn.tooling.query('SELECT Id FROM ApexClass'));
notImitated('metadata', () => conn.metadata.list({ type: 'CustomObject' }));
notImitated('analytics', () => conn.analytics.reports());
notImitated('apex', () => conn.apex.get('/x'));
notImitated('chatter', () => conn.chatter.resource('/feeds').retrieve());
notImitated('bulk_v1', () => conn.bulk.load('Account', 'insert', [{ Name: 'x' }]));
notImitated('recent', () => conn.recent());
notImitated('tabs', () => conn.tabs());
notImitated('theme', () => conn.theme());
notImitated('quick_actions', () => conn.quickActions());
notImitated('layouts', () => conn.sobject('Account').layouts());
notImitated('compact_layouts', () => conn.sobject('Account').compactLayouts());
notImitated('list_views', () => conn.sobject('Account').listviews());
await all();
process.exit(0);
