#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/check_outcomes.h"
#include "core/incident.h"

namespace weir::collectors {

/// The path below the address of a DataHub metadata service (GMS) that takes what the functions below make: bodies of
/// `ingestProposalBatch`, as DataHub's own REST emitter sends them (its release 1.7; metadata-models' Avro schemas).
inline constexpr std::string_view kDataHubPath = "/aspects?action=ingestProposalBatch";

/// DataHub's name of the assertion that a check is: the same as long as the URN, the dataset's label and the check are.
std::string datahub_assertion_urn(std::string_view dataset_urn, const core::Node& dataset, std::string_view check);

/// The checks of a dataset that are due, as custom assertions from outside (`assertionInfo`, `dataPlatformInstance`
/// weir) with a run event each: SUCCESS, FAILURE (with `outcome` warn or fail among its results), or ERROR where a
/// check could not be evaluated. Of a dataset whose checks are not all due, only the run events. Several bodies where
/// there are many checks.
std::vector<std::string> datahub_checks(const DatasetOutcomes& dataset, std::string_view dataset_urn,
                                        std::string_view collector, core::Time now);

/// An incident about the dataset as DataHub's: `incidentInfo`, ACTIVE while it is open, RESOLVED once it is over.
std::string datahub_incident(const core::Incident& incident, std::string_view dataset_urn, core::Time now);

}  // namespace weir::collectors
