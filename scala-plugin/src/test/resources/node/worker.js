// A worker in Node.js: reads a function and then batches of one column of longs, and writes them back changed.
//
//   in:   size, the function's text; messages of Arrow's stream format
//   out:  for each batch, a 0 and its message, or a 1, a size and the words of an error
'use strict';
const net = require('net');

const RECORD_BATCH = 3;
const socket = net.connect(process.argv[2]);
let waiting = Buffer.alloc(0);
let call = null;

socket.on('data', (chunk) => {
  waiting = Buffer.concat([waiting, chunk]);
  while (call === null ? readFunction() : readMessage());
});
socket.on('error', () => process.exit(1));

function readFunction() {
  const text = take(4 + size(0));
  if (text === null) return false;
  call = eval(text.toString('utf8', 4));
  return true;
}

// A message is four bytes of ones, the size of its metadata, these, and its body.
function readMessage() {
  const length = size(4);
  if (waiting.length < 8 + length) return false;
  const message = table(waiting, 8 + waiting.readInt32LE(8));
  const bytes = take(8 + length + Number(message.long(3)));
  if (bytes === null) return false;
  if (message.byte(1) === RECORD_BATCH) answer(bytes, 8 + length);
  return true;
}

function answer(bytes, body) {
  try {
    const batch = table(bytes, 8 + bytes.readInt32LE(8)).table(2);
    change(bytes, body, Number(batch.long(0)), batch.vector(2));
    socket.write(Buffer.concat([Buffer.from([0]), bytes]));
  } catch (error) {
    const words = Buffer.from(String(error));
    const head = Buffer.from([1, 0, 0, 0, 0]);
    head.writeInt32LE(words.length, 1);
    socket.write(Buffer.concat([head, words]));
  }
}

// The column's buffers are a bit for each row, or nothing where none is null, and eight bytes for each row.
function change(bytes, body, rows, buffers) {
  const at = (index) => body + Number(bytes.readBigInt64LE(buffers + 16 * index));
  const bits = Number(bytes.readBigInt64LE(buffers + 8)) > 0 ? at(0) : null;
  for (let row = 0; row < rows; row++) {
    if (bits !== null && ((bytes[bits + (row >> 3)] >> (row & 7)) & 1) === 0) continue;
    const place = at(1) + 8 * row;
    bytes.writeBigInt64LE(BigInt.asIntN(64, call(bytes.readBigInt64LE(place))), place);
  }
}

// As flatbuffers have it: a table's fields are found through its list of offsets, and those that are 0 are left out.
function table(bytes, at) {
  const offsets = at - bytes.readInt32LE(at);
  const field = (index) => {
    const entry = 4 + 2 * index;
    const offset = entry < bytes.readUInt16LE(offsets) ? bytes.readUInt16LE(offsets + entry) : 0;
    return offset === 0 ? null : at + offset;
  };
  const follow = (place) => place + bytes.readUInt32LE(place);
  return {
    byte: (index) => (field(index) === null ? 0 : bytes[field(index)]),
    long: (index) => (field(index) === null ? 0n : bytes.readBigInt64LE(field(index))),
    table: (index) => table(bytes, follow(field(index))),
    vector: (index) => follow(field(index)) + 4,
  };
}

function size(at) {
  return waiting.length < at + 4 ? Infinity : waiting.readInt32LE(at);
}

function take(length) {
  if (waiting.length < length) return null;
  const taken = Buffer.from(waiting.subarray(0, length));
  waiting = waiting.subarray(length);
  return taken;
}
