variable "names" {
  description = "Names of resources.json."
  type = object({
    spark = object({ application = string, bucket = string, role = string })
  })
}

variable "release_label" {
  description = "EMR release; its Spark must have the connector of Kinesis (7.1 and later)."
  type        = string
  default     = "emr-7.10.0"

  validation {
    condition     = can(regex("^emr-([7-9]|[1-9][0-9])\\.[0-9]+\\.[0-9]+$", var.release_label))
    error_message = "release_label must be an EMR release of version 7 or later, such as emr-7.10.0."
  }
}

variable "max_vcpus" {
  description = "vCPUs of the driver and all executors together; memory is four GB for each."
  type        = number

  validation {
    condition     = var.max_vcpus >= 4
    error_message = "max_vcpus must be at least 4: a driver and an executor of two each."
  }
}

variable "kafka" {
  description = "Whether to create an MSK Serverless cluster."
  type        = bool
}

variable "policy" {
  description = "IAM policy of the job's role, as JSON."
  type        = string
}

variable "trust" {
  description = "Trust policy of the job's role, as JSON."
  type        = string
}

variable "airflow_role" {
  description = "Name of Airflow's role."
  type        = string
}

variable "airflow_policy" {
  description = "IAM policy by which Airflow operates the job, as JSON."
  type        = string
}

variable "streamer_role" {
  description = "Name of the streamers' role."
  type        = string
}

variable "kafka_policy" {
  description = "IAM policy by which the job and the streamers read and write Kafka's topics, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the job's role; null for none."
  type        = string
  default     = null
}

variable "vpc_id" {
  description = "ID of the VPC of the Kafka cluster."
  type        = string
}

variable "cidr" {
  description = "CIDR block of the network, the only one with access to Kafka."
  type        = string
}

variable "subnets" {
  description = "IDs of private subnets in at least two zones, for Kafka."
  type        = list(string)
}
