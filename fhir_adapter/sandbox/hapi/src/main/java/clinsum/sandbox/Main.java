package clinsum.sandbox;

import ca.uhn.fhir.jpa.packages.IPackageInstallerSvc;
import java.io.IOException;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.web.context.ContextLoaderListener;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;

/** Starts the server, prints {@code ready <base URL>}, and ends when standard input ends. */
public final class Main {

    private Main() {}

    public static void main(String[] args) throws Exception {
        endWithStandardInput();
        Server jetty = new Server();
        HttpConfiguration http = new HttpConfiguration();
        http.setUriCompliance(UriCompliance.LEGACY); // "|" of a token search comes unescaped from many clients
        http.setRequestHeaderSize(64 * 1024); // long _id lists
        http.setSendServerVersion(false);
        ServerConnector connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
        connector.setHost(Settings.text("host", "127.0.0.1"));
        connector.setPort(Settings.number("port", 0));
        jetty.addConnector(connector);

        AnnotationConfigWebApplicationContext spring = new AnnotationConfigWebApplicationContext();
        spring.register(ServerConfig.class);
        ServletContextHandler root = new ServletContextHandler("/");
        root.addEventListener(new ContextLoaderListener(spring)); // Spring is up before the servlet asks for its beans
        ServletHolder fhir = new ServletHolder("fhir", FhirServlet.class);
        fhir.setInitOrder(1);
        root.addServlet(fhir, "/fhir/*");
        jetty.setHandler(root);
        try {
            jetty.start();
            Packages.install(spring.getBean(IPackageInstallerSvc.class));
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1); // Spring's schedulers would keep a half-started process alive
        }
        System.out.println("ready http://" + connector.getHost() + ":" + connector.getLocalPort() + "/fhir");
        jetty.join();
    }

    /** The parent holds the other end of standard input: however it dies, this process ends too. */
    private static void endWithStandardInput() {
        Thread watch = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // nothing is ever said there
                }
            } catch (IOException e) {
                // a broken pipe is an end as well
            }
            System.exit(0); // its hooks close a database kept in a file
        }, "parent-watch");
        watch.setDaemon(true);
        watch.start();
    }
}
