package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.DaoConfig;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.interceptor.PatientIdPartitionInterceptor;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.searchparam.extractor.ISearchParamExtractor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** The same with HAPI 6, which is told neither settings nor partitions. */
final class Jpa {

    static LocalContainerEntityManagerFactoryBean entities(
            ConfigurableListableBeanFactory beans, FhirContext fhir, DaoConfig storage) {
        return HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir);
    }

    static Object partitions(FhirContext fhir, ISearchParamExtractor extractor, PartitionSettings partitions) {
        return new PatientIdPartitionInterceptor(fhir, extractor);
    }
}
