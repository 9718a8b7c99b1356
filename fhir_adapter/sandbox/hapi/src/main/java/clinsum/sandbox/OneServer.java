package clinsum.sandbox;

import ca.uhn.fhir.jpa.packages.IPackageInstallerSvc;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.web.context.ContextLoaderListener;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;

/** A FHIR server with beans, database and port of its own. */
final class OneServer {

    private final Server jetty;
    private final String baseUrl;

    private OneServer(Server jetty, String baseUrl) {
        this.jetty = jetty;
        this.baseUrl = baseUrl;
    }

    String baseUrl() {
        return baseUrl;
    }

    static OneServer start(Settings settings) throws Exception {
        Server jetty = new Server();
        HttpConfiguration http = new HttpConfiguration();
        http.setUriCompliance(UriCompliance.LEGACY); // "|" of a token search comes unescaped from many clients
        http.setRequestHeaderSize(64 * 1024); // long _id lists
        http.setSendServerVersion(false);
        ServerConnector connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
        connector.setHost(settings.text("host", "127.0.0.1"));
        connector.setPort(settings.number("port", 0));
        jetty.addConnector(connector);

        AnnotationConfigWebApplicationContext spring = new AnnotationConfigWebApplicationContext();
        spring.addBeanFactoryPostProcessor(beans -> beans.registerSingleton("settings", settings));
        spring.register(ServerConfig.class);
        ServletContextHandler root = new ServletContextHandler();
        root.addEventListener(new ContextLoaderListener(spring)); // Spring is up before the servlet asks for its beans
        ServletHolder fhir = new ServletHolder("fhir", FhirServlet.class);
        fhir.setInitOrder(1);
        root.addServlet(fhir, "/fhir/*");
        jetty.setHandler(root);
        jetty.start();
        Packages.install(settings.text("packages", ""), spring.getBean(IPackageInstallerSvc.class));
        return new OneServer(jetty, "http://" + connector.getHost() + ":" + connector.getLocalPort() + "/fhir");
    }

    void stop() throws Exception {
        jetty.stop();
    }
}
