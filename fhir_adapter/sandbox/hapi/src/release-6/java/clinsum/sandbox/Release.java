package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.DaoConfig;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.interceptor.PatientIdPartitionInterceptor;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.entity.ModelConfig;
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

/** What HAPI 6 wants otherwise than 7: settings and partitions are told to less of it. */
@Configuration
@Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class})
public class Release {

    static void adapt(DaoConfig storage, Settings settings) {
        if (settings.flag("subscriptions", false)) {
            storage.addSupportedSubscriptionType(Subscription.SubscriptionChannelType.RESTHOOK);
        }
    }

    static LocalContainerEntityManagerFactoryBean entities(
            ConfigurableListableBeanFactory beans, FhirContext fhir, DaoConfig storage) {
        return HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir);
    }

    static Object partitions(FhirContext fhir, ISearchParamExtractor extractor, PartitionSettings partitions) {
        return new PatientIdPartitionInterceptor(fhir, extractor);
    }

    @Bean
    public ModelConfig modelConfig(DaoConfig storage) {
        return storage.getModelConfig();
    }
}
