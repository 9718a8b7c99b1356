package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.DaoRegistry;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.util.List;
import org.springframework.context.ApplicationContext;
import org.springframework.web.context.support.WebApplicationContextUtils;

/**
 * The REST face over the JPA beans. It keeps an interceptor service of its own: handed the JPA one, it would run
 * every JPA hook twice.
 */
public final class FhirServlet extends RestfulServer {

    @Override
    protected void initialize() {
        ApplicationContext beans = WebApplicationContextUtils.getRequiredWebApplicationContext(getServletContext());
        Settings settings = beans.getBean(Settings.class);
        setFhirContext(beans.getBean(FhirContext.class));
        registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        registerProvider(beans.getBean(JpaSystemProvider.class));
        registerProvider(beans.getBean(ValueSetOperationProvider.class));
        if (settings.flag("bulkExport", false)) {
            BulkExports.offer(this, beans);
        }
        JpaCapabilityStatementProvider metadata = new JpaCapabilityStatementProvider(
                this,
                beans.getBean(IFhirSystemDao.class),
                beans.getBean(JpaStorageSettings.class),
                beans.getBean(ISearchParamRegistry.class),
                beans.getBean("myJpaValidationSupportChain", IValidationSupport.class));
        metadata.setImplementationDescription("clinsum sandbox on HAPI FHIR JPA");
        setServerConformanceProvider(metadata);
        DatabaseBackedPagingProvider paging = beans.getBean(DatabaseBackedPagingProvider.class);
        paging.setDefaultPageSize(settings.number("defaultPage", 20));
        paging.setMaximumPageSize(settings.number("maxPage", 500)); // HAPI's own 50 cuts a larger _count in silence
        setPagingProvider(paging);
        registerInterceptor(new Documents(beans.getBean(DaoRegistry.class)));
        setDefaultResponseEncoding(EncodingEnum.JSON);
        String base = settings.text("base", "");
        if (!base.isEmpty()) {
            setServerAddressStrategy(new HardcodedServerAddressStrategy(base));
        }
        if (settings.flag("validateRequests", false)) {
            RequestValidatingInterceptor validation = new RequestValidatingInterceptor();
            validation.setFailOnSeverity(ResultSeverityEnum.ERROR);
            validation.setValidatorModules(List.of(beans.getBean(IValidatorModule.class)));
            registerInterceptor(validation);
        }
    }
}
