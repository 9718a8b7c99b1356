package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.interceptor.PatientIdPartitionInterceptor;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.searchparam.extractor.ISearchParamExtractor;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import org.hl7.fhir.dstu2.model.Subscription;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** What HAPI 8 wants otherwise than 7: subscriptions have settings of their own, and an index is on unless told. */
@Configuration
@Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class})
public class Release {

    static void adapt(JpaStorageSettings storage, Settings settings) {
        storage.setHibernateSearchIndexSearchParams(false);
        storage.setHibernateSearchIndexFullText(false);
    }

    static LocalContainerEntityManagerFactoryBean entities(
            ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings storage) {
        return HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, storage);
    }

    static Object partitions(FhirContext fhir, ISearchParamExtractor extractor, PartitionSettings partitions) {
        return new PatientIdPartitionInterceptor(fhir, extractor, partitions);
    }

    @Bean
    public SubscriptionSettings subscriptionSettings(Settings settings) {
        SubscriptionSettings subscriptions = new SubscriptionSettings();
        if (settings.flag("subscriptions", false)) {
            subscriptions.addSupportedSubscriptionType(Subscription.SubscriptionChannelType.RESTHOOK);
        }
        return subscriptions;
    }
}
