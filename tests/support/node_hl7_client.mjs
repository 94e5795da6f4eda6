// Sends two orders by the package node-hl7-client, and prints what each is answered (MSA-1).
//
//     node tests/support/node_hl7_client.mjs PORT
import process from "node:process";
import { Client, Message } from "node-hl7-client";

const order = (number) => {
  const message = new Message({
    messageHeader: {
      msh_9_1: "ORM",
      msh_9_2: "O01",
      msh_10: `NODE${number}`,
      msh_11_1: "P",
    },
  });
  message.addSegment("PID").set("3.1", "P1");
  message.addSegment("ORC").set("1", "NW");
  const request = message.addSegment("OBR");
  request.set("18", `A${number}`);
  request.set("27.6", "S");
  return message;
};

const client = new Client({ host: "127.0.0.1" });
let waiting;
const connection = client.createConnection({ port: Number(process.argv[2]) }, async (answer) => {
  console.log(answer.getMessage().get("MSA.1").toString());
  waiting();
});
for (const number of [1, 2]) {
  const answered = new Promise((resolve) => {
    waiting = resolve;
  });
  await connection.sendMessage(order(number));
  await answered;
}
await connection.close();
process.exit(0);
