package clinsum.sandbox;

import ca.uhn.fhir.jpa.api.config.DaoConfig;
import ca.uhn.fhir.jpa.model.entity.ModelConfig;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import org.hl7.fhir.dstu2.model.Subscription;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** What HAPI 6 wants otherwise than 7: its model has settings of its own. */
@Configuration
@Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class, SubscriptionChannelConfig.class})
public class Release {

    static void adapt(DaoConfig storage, Settings settings) {
        if (settings.flag("subscriptions", false)) {
            storage.addSupportedSubscriptionType(Subscription.SubscriptionChannelType.RESTHOOK);
        }
    }

    @Bean
    public ModelConfig modelConfig(DaoConfig storage) {
        return storage.getModelConfig();
    }
}
