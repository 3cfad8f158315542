// Tries each feature with soap for node and prints a line of JSON for it: `node node.js URL PICTURE SCENE`.
'use strict';
const assert = require('assert');
const fs = require('fs');
const soap = require('soap');

const [, , url, ...files] = process.argv;
const [picture, scene] = files.map((file) => fs.readFileSync(file).toString('base64'));

async function client(feature, { model = 'kinds', path = 'soap' } = {}) {
  const address = `${url}/${feature}/${path}/${model}/v1`;
  const made = await soap.createClientAsync(`${address}?wsdl`, {
    forceSoap12Headers: path === 'soap12',
    preserveWhitespace: feature === 'text',
  });
  made.setEndpoint(address);
  return made;
}

function instance(changes = {}) {
  const grid = { dtype: 'float32', shape: { item: [2, 3] }, doubles: { item: [1, 2, 3, 4, 5, 6] } };
  return {
    flag: true, count: -3, total: Number.MAX_SAFE_INTEGER, level: 200, ratio: 0.1, offset: null, note: 'note',
    left: 0.25, right: 0.75, series: { item: [1.5, 2.5] }, codes: { item: [7, 8] },
    words: { item: ['one', '', 'x & y'] }, grid, picture, ...changes,
  };
}

async function predict(kinds, changes = {}, options = {}) {
  const [answer] = await kinds.predictAsync(instance(changes), options);
  return answer.predictResult;
}

async function scalars(kinds, options) {
  const { flag, count, total, level, ratio } = await predict(kinds, {}, options);
  assert.deepStrictEqual(
    { flag, count, total: Number(total), level, ratio },
    { flag: true, count: -3, total: Number.MAX_SAFE_INTEGER, level: 200, ratio: 0.1 },
  );
  return 'long beyond 2^53 only as text: a number of JavaScript holds no more';
}

async function fault(call) {
  try {
    await call();
  } catch (error) {
    const { detail, Detail } = error.root.Envelope.Body.Fault;
    return detail || Detail;
  }
  throw new Error('no fault');
}

async function invalidInput(kinds) {
  const { code, field, received, expected, requestId } = (await fault(() => predict(kinds, { level: 256 }))).InvalidInput;
  assert.deepStrictEqual([code, field, String(received)], ['out-of-range', 'level', '256']);
  assert(expected && requestId);
}

async function text(feature, note) {
  assert.strictEqual((await predict(await client(feature), { note })).note, note);
}

async function threads() {
  await Promise.all(
    Array.from({ length: 16 }, async (_, number) => {
      const kinds = await client('threads');
      for (let total = number * 1000; total < number * 1000 + 500; total++) {
        assert.strictEqual(Number((await predict(kinds, { total })).total), total);
      }
    }),
  );
  return '16 chains of calls under way at once, for node has no threads';
}

const features = {
  natural: async () => {
    const { input } = (await client('natural')).describe().KindsService.KindsPort.predict;
    const types = Object.entries(input).filter(([name]) => name !== 'targetNSAlias' && name !== 'targetNamespace');
    const shown = types.map(([name, type]) => `${name}: ${typeof type === 'string' ? type : 'object'}`);
    assert.deepStrictEqual(shown, [
      'flag: xs:boolean', 'count: xs:int', 'total: xs:long', 'level: xs:int', 'ratio: xs:double', 'offset: xs:double',
      'note: xs:string', 'left: xs:double', 'right: xs:double', 'series: object', 'codes: object', 'words: object',
      'grid: object', 'picture: xs:base64Binary',
    ]);
    return 'one request object';
  },
  scalars: async () => scalars(await client('scalars')),
  optional: async () => {
    assert.strictEqual((await predict(await client('optional'))).shifted, 0);
    assert.strictEqual((await predict(await client('optional'), { offset: 0.5 })).shifted, 1);
  },
  arrays: async () => {
    const kinds = await client('arrays');
    const { series, codes, words } = await predict(kinds);
    assert.deepStrictEqual([series.item, codes.item.map(Number), words.item], [[1.5, 2.5], [7, 8], ['one', '', 'x & y']]);
    assert(!((await predict(kinds, { words: { item: [] } })).words || {}).item);
    return 'an empty array comes as null';
  },
  tensor: async () => {
    const { dtype, shape, doubles } = (await predict(await client('tensor'))).grid;
    assert.deepStrictEqual([dtype, shape.item.map(Number), doubles.item], ['float32', [2, 3], [1, 2, 3, 4, 5, 6]]);
  },
  image: async () => {
    const { content } = (await predict(await client('image'))).pixels;
    assert.deepStrictEqual([...Buffer.from(content, 'base64')], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    return 'base64Binary is text: the caller encodes and decodes';
  },
  text: async () => {
    await text('text', ' <b> & "x" ]]> ');
    return 'with preserveWhitespace: true; else spaces at the ends are lost';
  },
  utf8: () => text('utf8', '你好 ü 😀'),
  nan: async () => {
    const series = { item: [NaN, 'INF', '-INF'] };
    const answer = await predict(await client('nan'), { left: NaN, right: '-INF', series });
    const scores = Object.fromEntries(answer.scores.item.map(({ label, score }) => [label, String(score)]));
    assert.strictEqual(scores.left, 'NaN');
    assert.strictEqual(scores.right, '-Infinity');
  },
  batch: async () => {
    const instances = { item: [instance(), instance({ offset: 2 })] };
    const [answer] = await (await client('batch')).predictBatchAsync({ instances });
    assert.deepStrictEqual(answer.predictBatchResult.item.map(({ shifted }) => shifted), [0, 4]);
  },
  records: async () => {
    const reader = await client('records', { model: 'digit-reader' });
    const [{ predictResult }] = await reader.predictAsync({ image: scene });
    const found = predictResult.digits.item;
    assert.strictEqual(predictResult.text, '173');
    assert.strictEqual(found.map(({ digit }) => digit.item[0].label).join(''), '173');
    assert.strictEqual(Math.round(found[0].box.x), 86);
    const [none] = await reader.predictAsync({ image: picture });
    assert(!(none.predictResult.digits || {}).item);
    return 'an empty list comes as null';
  },
  conversation: async () => {
    const chat = await client('conversation', { model: 'chat' });
    const [{ replyResult: first }] = await chat.replyAsync({ question: 'My name is Ada' });
    const [{ replyResult: second }] = await chat.replyAsync({ sessionId: first.sessionId, question: 'What is my name?' });
    assert.deepStrictEqual([first.sessionState, second.sessionState], ['started', 'continued']);
    assert.strictEqual(second.sentence, 'Your name is Ada.');
  },
  'invalid-input': async () => {
    await invalidInput(await client('invalid-input'));
    return 'one exception; error.root.Envelope.Body.Fault.detail names the type';
  },
  'model-not-found': async () => {
    const inference = await client('model-not-found', { model: 'inference' });
    const detail = await fault(() => inference.getModelAsync({ modelName: 'nothing', version: null }));
    assert.strictEqual(detail.ModelNotFound.code, 'unknown-model');
  },
  'other-faults': async () => {
    const inference = await client('other-faults', { model: 'inference' });
    const of = (modelName) => fault(() => inference.getModelAsync({ modelName, version: null }));
    assert.strictEqual(Number((await of('full')).Overloaded.retryAfterSeconds), 2);
    assert.strictEqual(Number((await of('late')).DeadlineExceeded.deadlineSeconds), 1.5);
    assert.strictEqual(Number((await of('gone')).Unavailable.retryAfterSeconds), 2);
    assert.strictEqual((await of('locked')).AuthenticationFailed.code, 'authentication-failed');
  },
  soap12: async () => {
    await scalars(await client('soap12', { path: 'soap12' }));
    await invalidInput(await client('soap12', { path: 'soap12' }));
    return 'forceSoap12Headers: true';
  },
  'gzip-in': async () => {
    await scalars(await client('gzip-in'), { forceGzip: true, timeout: 5000 });
  },
  'gzip-out': async () => {
    const inference = await client('gzip-out', { model: 'inference' });
    const longs = Array.from({ length: 3000 }, (_, one) => one % 256);
    const tensor = { dtype: 'uint8', shape: { item: [1, 3000] }, longs: { item: longs } };
    const request = { modelName: 'echo', version: null, inputs: { item: [{ name: 'x', tensor }] } };
    const [answer] = await inference.predictAsync(request, {}, { 'Accept-Encoding': 'gzip' });
    assert.deepStrictEqual(answer.predictResult.outputs.item[0].tensor.longs.item.map(Number), longs);
    return "with a header: 'Accept-Encoding': 'gzip'";
  },
  threads,
};

(async () => {
  for (const [feature, attempt] of Object.entries(features)) {
    let line;
    try {
      line = { feature, ok: true, note: (await attempt()) || '' };
    } catch (error) {
      line = { feature, ok: false, note: String(error.message).slice(0, 400) };
    }
    console.log(JSON.stringify(line).replace('{"feature":', '{"feature": '));
  }
})();
