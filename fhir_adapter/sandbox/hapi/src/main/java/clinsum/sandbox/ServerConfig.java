package clinsum.sandbox;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.interceptor.api.IInterceptorService;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binary.svc.NullBinaryStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.searchparam.extractor.ISearchParamExtractor;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.validation.JpaValidationSupportChain;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** The beans that HAPI's JPA server leaves to whoever runs it: database, storage settings, terminology. */
@Configuration
@Import({
    JpaR4Config.class, HapiJpaConfig.class,
    JpaBatch2Config.class, Batch2JobsConfig.class, ThreadPoolFactoryConfig.class, Release.class
})
public class ServerConfig {

    private final Settings settings;

    ServerConfig(Settings settings) {
        this.settings = settings;
    }

    @Bean(destroyMethod = "close")
    public DataSource dataSource() {
        HikariConfig pool = new HikariConfig();
        pool.setDriverClassName("org.h2.Driver");
        pool.setJdbcUrl(settings.text("jdbc", "jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1"));
        pool.setUsername("sa");
        pool.setPassword("");
        pool.setMaximumPoolSize(20);
        return new HikariDataSource(pool);
    }

    @Primary
    @Bean
    public LocalContainerEntityManagerFactoryBean entityManagerFactory(
            DataSource dataSource, FhirContext fhir, JpaStorageSettings storage, ConfigurableListableBeanFactory beans) {
        LocalContainerEntityManagerFactoryBean factory = Jpa.entities(beans, fhir, storage);
        factory.setPersistenceUnitName("HAPI_PU");
        factory.setDataSource(dataSource);
        Properties jpa = new Properties();
        jpa.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
        jpa.put("hibernate.hbm2ddl.auto", "update");
        jpa.put("hibernate.jdbc.batch_size", "20");
        jpa.put("hibernate.cache.use_query_cache", "false");
        jpa.put("hibernate.cache.use_second_level_cache", "false");
        jpa.put("hibernate.search.enabled", "false");
        factory.setJpaProperties(jpa);
        return factory;
    }

    @Primary
    @Bean
    public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
        return new JpaTransactionManager(factory);
    }

    @Bean
    public JpaStorageSettings storageSettings(FhirContext fhir) {
        String keep = settings.text("keepReferenceVersions", ""); // HAPI drops "/_history/n" from references elsewhere
        if (keep.equals("*")) {
            fhir.getParserOptions().setStripVersionsFromReferences(false);
        } else if (!keep.isEmpty()) {
            fhir.getParserOptions().setDontStripVersionsFromReferencesAtPaths(keep.split(","));
        }
        JpaStorageSettings storage = new JpaStorageSettings();
        storage.setResourceClientIdStrategy(
                JpaStorageSettings.ClientIdStrategyEnum.valueOf(settings.text("clientIds", "ANY")));
        storage.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
        storage.setAllowExternalReferences(true);
        storage.setEnforceReferentialIntegrityOnWrite(settings.flag("referentialIntegrity", true));
        storage.setEnforceReferentialIntegrityOnDelete(settings.flag("referentialIntegrity", true));
        storage.setAutoCreatePlaceholderReferenceTargets(settings.flag("placeholders", false));
        long reuse = settings.number("reuseSearchMs", 60_000);
        storage.setReuseCachedSearchResultsForMillis(reuse > 0 ? reuse : null);
        Release.adapt(storage, settings);
        storage.setJobFastTrackingEnabled(settings.flag("bulkExport", false)); // the steps of an export one after the other
        return storage;
    }

    /** Runs once all beans stand, before the first request. */
    @Bean
    public SmartInitializingSingleton knownCodesFirst(FhirContext fhir, JpaValidationSupportChain chain) {
        return () -> chain.addValidationSupport(0, new KnownCodes(fhir));
    }

    @Bean
    public PartitionSettings partitionSettings() {
        PartitionSettings partitions = new PartitionSettings();
        if (settings.flag("patientPartitions", false)) {
            partitions.setPartitioningEnabled(true);
            partitions.setUnnamedPartitionMode(true);
            partitions.setAllowReferencesAcrossPartitions(
                    PartitionSettings.CrossPartitionReferenceMode.ALLOWED_UNQUALIFIED);
        }
        return partitions;
    }

    /** Where partitions are on: one for each patient. */
    @Bean
    public SmartInitializingSingleton patientPartitions(
            FhirContext fhir, ISearchParamExtractor extractor, PartitionSettings partitions, IInterceptorService hooks) {
        return () -> {
            if (partitions.isPartitioningEnabled()) {
                hooks.registerInterceptor(Jpa.partitions(fhir, extractor, partitions));
            }
        };
    }

    @Bean
    public IEmailSender emailSender() {
        return details -> {};
    }

    @Bean
    public IBinaryStorageSvc binaryStorageSvc() {
        return new NullBinaryStorageSvcImpl(); // attachments stay inside their resource
    }
}
