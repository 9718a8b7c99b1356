package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.interceptor.PatientIdPartitionInterceptor;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.searchparam.extractor.ISearchParamExtractor;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import org.hl7.fhir.dstu2.model.Subscription;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** What HAPI 7 wants otherwise than 8: subscriptions are settings of the storage. */
@Configuration
@Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class})
public class Release {

    static void adapt(JpaStorageSettings storage, Settings settings) {
        if (settings.flag("subscriptions", false)) {
            storage.addSupportedSubscriptionType(Subscription.SubscriptionChannelType.RESTHOOK);
        }
    }

    static LocalContainerEntityManagerFactoryBean entities(
            ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings storage) {
        return HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, storage);
    }

    static Object partitions(FhirContext fhir, ISearchParamExtractor extractor, PartitionSettings partitions) {
        return new PatientIdPartitionInterceptor(fhir, extractor, partitions);
    }
}
