import { calls, finished } from '../support/chunks.ts';
import { piece, whole } from './calls.ts';

const END = finished('tool_calls');

const JSON_A = '{"city":"Paris"}';
const JSON_B = '{"city":"Rome"}';

describe('tool calls come out whole', () => {
  const twoCalls = [
    [0, 'a', 'f', JSON_A],
    [1, 'b', 'g', JSON_B],
  ];
  const byOpenAI = [
    piece(0, 'a', 'f', ''),
    piece(0, undefined, undefined, '{"city":'),
    piece(0, undefined, undefined, '"Paris"}'),
  ];

  it.each<[string, readonly Record<string, unknown>[]]>([
    ['as OpenAI sends them', [...byOpenAI, piece(1, 'b', 'g', ''), piece(1, undefined, undefined, JSON_B)]],
    [
      'interleaved',
      [piece(0, 'a', 'f', '{"city":'), piece(1, 'b', 'g', JSON_B), piece(0, undefined, undefined, '"Paris"}')],
    ],
    ['both with index 0 and ids of their own', [piece(0, 'a', 'f', JSON_A), piece(0, 'b', 'g', JSON_B)]],
    [
      'both with index 0, the second in pieces',
      [piece(0, 'a', 'f', JSON_A), piece(0, 'b', 'g', ''), piece(0, undefined, undefined, JSON_B)],
    ],
    ['without an index', [piece(undefined, 'a', 'f', JSON_A), piece(undefined, 'b', 'g', JSON_B)]],
    [
      'without an index, in pieces',
      [
        piece(undefined, 'a', 'f', '{"city":'),
        piece(undefined, undefined, undefined, '"Paris"}'),
        piece(undefined, 'b', 'g', ''),
        piece(undefined, undefined, undefined, JSON_B),
      ],
    ],
    [
      'with null for what is absent',
      [
        { index: 0, id: 'a', type: null, function: { name: 'f', arguments: null } },
        { index: 0, id: null, type: null, function: { name: null, arguments: JSON_A } },
        { index: 1, id: 'b', function: { name: 'g', arguments: JSON_B } },
        { index: 1, id: null, function: null },
      ],
    ],
    [
      'with empty strings for what is absent',
      [
        piece(0, 'a', 'f', ''),
        { index: 0, id: '', type: '', function: { name: '', arguments: JSON_A } },
        piece(1, 'b', 'g', JSON_B),
        { index: 1, id: '', function: { name: '', arguments: '' } },
      ],
    ],
    [
      'with the id in every piece',
      [
        piece(0, 'a', 'f', '{"city":'),
        piece(0, 'a', undefined, '"Paris"}'),
        piece(1, 'b', 'g', '{"city":'),
        piece(1, 'b', undefined, '"Rome"}'),
      ],
    ],
    [
      'with id and name in every piece',
      [
        piece(0, 'a', 'f', '{"city":'),
        piece(0, 'a', 'f', '"Paris"}'),
        piece(1, 'b', 'g', '{"city":'),
        piece(1, 'b', 'g', '"Rome"}'),
      ],
    ],
    [
      'with a new id in every piece',
      [
        piece(0, 'a', 'f', '{"city":'),
        piece(0, 'a2', undefined, '"Paris"}'),
        piece(1, 'b', 'g', '{"city":'),
        piece(1, 'b2', undefined, '"Rome"}'),
      ],
    ],
    [
      'without a type',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: JSON_A } },
        { index: 1, id: 'b', function: { name: 'g', arguments: JSON_B } },
      ],
    ],
    [
      'with the name after the arguments',
      [
        piece(0, 'a', undefined, '{"city":'),
        piece(0, undefined, undefined, '"Paris"}'),
        piece(0, undefined, 'f', ''),
        piece(1, 'b', undefined, JSON_B),
        piece(1, undefined, 'g'),
      ],
    ],
    ['with a first index of 1', [piece(1, 'a', 'f', JSON_A), piece(2, 'b', 'g', JSON_B)]],
    ['with a huge and a negative index', [piece(2 ** 40, 'a', 'f', JSON_A), piece(-1, 'b', 'g', JSON_B)]],
    [
      'with an index that is no number',
      [
        { ...piece(0, 'a', 'f', JSON_A), index: '0' },
        { ...piece(1, 'b', 'g', JSON_B), index: '1' },
      ],
    ],
    [
      'told apart by id under one index, out of turn',
      [
        piece(0, 'a', 'f', '{"city":'),
        piece(0, 'b', 'g', '{"city":'),
        piece(0, 'a', undefined, '"Paris"}'),
        piece(0, 'b', undefined, '"Rome"}'),
      ],
    ],
    ['with the arguments as an object', [piece(0, 'a', 'f', { city: 'Paris' }), piece(1, 'b', 'g', { city: 'Rome' })]],
    [
      'between pieces that are none',
      [piece(0, 'a', 'f', JSON_A), null, 'x', [], piece(1, 'b', 'g', JSON_B)] as Record<string, unknown>[],
    ],
  ])('%s', (_name, pieces) => {
    expect(whole(calls(...pieces), END)).toEqual(twoCalls);
    expect(whole(...pieces.map((each) => calls(each)), END)).toEqual(twoCalls);
  });

  it.each([
    ['by their names', piece(undefined, undefined, 'f', JSON_A), piece(undefined, undefined, 'g', JSON_B), 'g'],
    ['by their names under index 0', piece(0, undefined, 'f', JSON_A), piece(0, undefined, 'g', JSON_B), 'g'],
    ['by a new object after a whole one', piece(0, undefined, 'f', JSON_A), piece(0, undefined, 'f', JSON_B), 'f'],
    [
      'by a new object after a whole one and a blank',
      piece(0, undefined, 'f', `${JSON_A}\n`),
      piece(0, undefined, 'f', JSON_B),
      'f',
    ],
  ])('are told apart without ids %s', (_name, first, second, name) => {
    const [a, b] = whole(calls(first), calls(second), END);
    expect(a).toEqual([0, 'call_chatcmpl-1_0_0', 'f', expect.stringContaining(JSON_A)]);
    expect(b).toEqual([1, 'call_chatcmpl-1_0_1', name, JSON_B]);
  });

  it('are one call where a repeated name goes with pieces of one object', () => {
    const text = '{"code":"a(){}","list":[{},{"b":{}}]}';
    for (let at = 0; at <= text.length; at++) {
      const pieces = [piece(0, undefined, 'f', text.slice(0, at)), piece(0, undefined, 'f', text.slice(at))];
      expect(whole(...pieces.map((each) => calls(each)), END)).toEqual([[0, 'call_chatcmpl-1_0_0', 'f', text]]);
    }
  });

  it('are told apart by their ids where nothing else differs', () => {
    expect(whole(calls(piece(0, 'a', 'f', ''), piece(0, 'b', 'f', '')), END)).toEqual([
      [0, 'a', 'f', '{}'],
      [1, 'b', 'f', '{}'],
    ]);
  });

  it('are told apart by their names before they have arguments', () => {
    const [a, b] = whole(calls(piece(0, undefined, 'f', ''), piece(0, undefined, 'g', JSON_B)), END);
    expect([a?.[2], a?.[3], b?.[2], b?.[3]]).toEqual(['f', '{}', 'g', JSON_B]);
  });

  it('keep the first id and the first name, whatever later pieces say', () => {
    expect(whole(calls(piece(0, 'a', 'f', ''), piece(0, 'a', 'g', '{}')), END)).toEqual([[0, 'a', 'f', '{}']]);
    expect(whole(calls(piece(0, 'a'), piece(0, 'a2'), piece(0, 'a3', 'f', '{}')), END)).toEqual([[0, 'a', 'f', '{}']]);
  });

  it.each([null, undefined, '', {}])('with {} for arguments that are %j', (text) => {
    expect(whole(calls(piece(0, 'a', 'f', text)), END)).toEqual([[0, 'a', 'f', '{}']]);
  });

  it('whatever finish reason the server gives to a whole turn', () => {
    for (const reason of ['tool_calls', 'stop', 'function_call', 'made_up', '']) {
      expect(whole(calls(piece(0, 'a', 'f', JSON_A)), finished(reason))).toEqual([[0, 'a', 'f', JSON_A]]);
    }
  });
});
