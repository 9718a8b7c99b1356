package clinsum.sandbox;

import ca.uhn.fhir.rest.server.RestfulServer;
import org.springframework.context.ApplicationContext;

/** Not offered with HAPI 6. */
final class BulkExports {

    static void offer(RestfulServer server, ApplicationContext beans) {
        throw new UnsupportedOperationException("no bulk export with HAPI 6");
    }
}
