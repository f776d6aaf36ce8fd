import java.net.InetSocketAddress;
import org.eclipse.jetty.server.NetworkConnector;
import org.eclipse.jetty.server.Server;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

/**
 * Runs DynamoDB Local in memory on a free port of the loopback address. Its own command line listens on all addresses and
 * reports usage to AWS. Prints the endpoint, and ends when its standard input ends, so that it cannot outlive the tests.
 */
class LoopbackServer {
  public static void main(String[] arguments) throws Exception {
    var inMemory = true;
    var isShared = true;
    var delaysStatuses = false;
    var requests = new LocalDynamoDBRequestHandler(0, inMemory, null, isShared, delaysStatuses);
    var handler = new LocalDynamoDBServerHandler(requests, "*");
    var server = new Server(new InetSocketAddress("127.0.0.1", 0));
    server.setHandler(new DynamoDBProxyServer(0, handler).setUpHandler(handler));
    server.start();
    System.out.println("http://127.0.0.1:" + ((NetworkConnector) server.getConnectors()[0]).getLocalPort());
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
