package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;

/** Knows none: HAPI 6 is tried with the terminology that it brings. */
record KnownCodes(FhirContext getFhirContext) implements IValidationSupport {}
