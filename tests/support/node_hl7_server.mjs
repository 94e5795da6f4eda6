// Listens by the package node-hl7-server, prints the port, and then each message that it takes.
//
//     node tests/support/node_hl7_server.mjs CODE
//
// CODE is what it answers: AA, AE or AR.
import net from "node:net";
import process from "node:process";
import { Server } from "node-hl7-server";

const free = net.createServer();
free.listen(0, "127.0.0.1", () => {
  const { port } = free.address();
  free.close(() => {
    const server = new Server({ bindAddress: "127.0.0.1" });
    const inbound = server.createInbound({ port }, async (request, response) => {
      const message = request.getMessage();
      const fields = ["MSH.9.1", "MSH.10", "PID.5.1", "OBX"];
      console.log(JSON.stringify(fields.map((name) => message.get(name).toString())));
      await response.sendResponse(process.argv[2]);
    });
    inbound.on("listen", () => console.log(JSON.stringify(port)));
  });
});
