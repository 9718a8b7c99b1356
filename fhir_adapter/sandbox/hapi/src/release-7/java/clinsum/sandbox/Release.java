package clinsum.sandbox;

import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import org.hl7.fhir.dstu2.model.Subscription;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** What HAPI 7 wants otherwise than 8: subscriptions are settings of the storage. */
@Configuration
@Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class})
public class Release {

    static void adapt(JpaStorageSettings storage, Settings settings) {
        if (settings.flag("subscriptions", false)) {
            storage.addSupportedSubscriptionType(Subscription.SubscriptionChannelType.RESTHOOK);
        }
    }
}
