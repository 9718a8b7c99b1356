package clinsum.sandbox;

import ca.uhn.fhir.batch2.api.IJobMaintenanceService;
import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.springframework.context.ApplicationContext;

/** {@code $export}. HAPI itself looks after its batch jobs once a minute; here it does so every second. */
final class BulkExports {

    private BulkExports() {}

    static void offer(RestfulServer server, ApplicationContext beans) {
        server.registerProvider(beans.getBean(BulkDataExportProvider.class));
        IJobMaintenanceService jobs = beans.getBean(IJobMaintenanceService.class);
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work, "export-jobs");
            thread.setDaemon(true);
            return thread;
        });
        clock.scheduleWithFixedDelay(() -> look(jobs), 1, 1, TimeUnit.SECONDS);
    }

    private static void look(IJobMaintenanceService jobs) {
        try {
            jobs.triggerMaintenancePass();
        } catch (Exception e) {
            e.printStackTrace(); // the next one comes in a second
        }
    }
}
