package clinsum.sandbox;

import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import org.hl7.fhir.dstu2.model.Subscription;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** What HAPI 8 wants otherwise than 7: subscriptions have settings of their own, and what no search reads is off. */
@Configuration
@Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class})
public class Release {

    static void adapt(JpaStorageSettings storage, Settings settings) {
        storage.setHibernateSearchIndexSearchParams(false);
        storage.setHibernateSearchIndexFullText(false);
        storage.setWriteToSearchParamIdentityTable(false); // a transaction for each parameter: a tenth of a start
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
